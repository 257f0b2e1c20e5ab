"""When to stop instead of draining a topic into its dead letters, after Arroyo's `DlqLimit`."""

from collections import deque
from collections.abc import Sequence

from gmv.errors import TooManyDeadLetters

RATIO_WINDOW_RECORDS = 1_000


class DeadLetterLimits:
    """Watches one partition. A bad deploy poisons everything; a bad record poisons itself."""

    def __init__(self, in_a_row_max: int, ratio_max: float) -> None:
        self._in_a_row_max = in_a_row_max
        self._ratio_max = ratio_max
        self._in_a_row = 0
        self._window: deque[bool] = deque(maxlen=RATIO_WINDOW_RECORDS)

    def admit(self, name: str, poisoned: Sequence[bool]) -> None:
        """Count the records of a run that is about to be published, in order.

        Args:
            name: of the partition, for the sentence.
            poisoned: per record, whether it is poison.

        Raises:
            TooManyDeadLetters: a limit is passed. The run must not be committed, so that nothing is lost: once
                the cause is mended, the records are read again.
        """
        for record_is_poison in poisoned:
            self._in_a_row = self._in_a_row + 1 if record_is_poison else 0
            self._window.append(record_is_poison)
            if self._in_a_row > self._in_a_row_max:
                raise TooManyDeadLetters(
                    f"{name}: more than {self._in_a_row_max} records in a row are poison; the run was not "
                    "committed. Look at the reasons in the log, mend the producer or the settings, and start again "
                    "(worker.dead_letters_in_a_row_max is the limit)"
                )
            share = sum(self._window) / RATIO_WINDOW_RECORDS
            if len(self._window) == RATIO_WINDOW_RECORDS and share > self._ratio_max:
                raise TooManyDeadLetters(
                    f"{name}: {share:.0%} of the last {RATIO_WINDOW_RECORDS} records are poison; the run was not "
                    "committed. Look at the reasons in the log, mend the producer or the settings, and start again "
                    "(worker.dead_letters_ratio_max is the limit)"
                )
