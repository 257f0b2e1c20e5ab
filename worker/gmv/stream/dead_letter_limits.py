"""When to stop instead of draining a topic into its dead letters, after Arroyo's `DlqLimit`."""

from collections import deque
from collections.abc import Sequence

from gmv.errors import Poison, TooManyDeadLetters

RATIO_WINDOW_RECORDS = 1_000


class DeadLetterLimits:
    """Watches one partition. A bad deploy poisons everything; a bad record poisons itself."""

    def __init__(self, in_a_row_max: int, ratio_max: float) -> None:
        self._in_a_row_max = in_a_row_max
        self._ratio_max = ratio_max
        self._in_a_row = 0
        self._window: deque[bool] = deque(maxlen=RATIO_WINDOW_RECORDS)
        self._last: Poison | None = None

    def admit(self, name: str, outcomes: Sequence[Poison | None]) -> None:
        """Count the records of a run that is about to be published, in order.

        Args:
            name: of the partition, for the sentence.
            outcomes: why each record is poison; None where it is not.

        Raises:
            TooManyDeadLetters: a limit is passed. The run must not be committed, so that nothing is lost: once
                the cause is fixed, the records are read again.
        """
        for poison in outcomes:
            self._in_a_row = self._in_a_row + 1 if poison else 0
            self._window.append(poison is not None)
            self._last = poison or self._last
            if self._in_a_row > self._in_a_row_max:
                much = f"more than {self._in_a_row_max} records in a row"
                raise self._too_many(name, much, "worker.dead_letters_in_a_row_max")
            share = sum(self._window) / RATIO_WINDOW_RECORDS
            if len(self._window) == RATIO_WINDOW_RECORDS and share > self._ratio_max:
                much = f"{share:.0%} of the last {RATIO_WINDOW_RECORDS} records"
                raise self._too_many(name, much, "worker.dead_letters_ratio_max")

    def _too_many(self, name: str, much: str, limit: str) -> TooManyDeadLetters:
        return TooManyDeadLetters(
            f"{name}: {much} are poison, the last for {self._last}; the run was not committed. Fix the producer or "
            f"the settings, and start again ({limit} is the limit)"
        )
