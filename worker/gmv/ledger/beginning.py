"""Where crediting of a log began: pure rules, which every ledger and every way to register a partition share.

What a log held when a ledger first knew it may be left out (`gmv ledger init --from end`). What comes later may not: a
partition that is added to a topic begins at its own beginning, whichever `--from` it is registered with, since records
are in it by then that nothing has credited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

UNRECORDED: Final = "-"
"""In place of an offset: the partition was registered by a gmv that did not record where (before 0.2)."""


class Begin(NamedTuple):
    """Where crediting of one partition began.

    Attributes:
        offset: of the first record that was to be credited.
        log_start: the first offset that the log held then.
    """

    offset: int
    log_start: int

    def encode(self) -> str:
        """Return the text kept in the ledger."""
        return f"{self.offset}/{self.log_start}"

    @classmethod
    def decode(cls, text: str) -> Self:
        """Parse what `encode` wrote.

        Raises:
            ValueError: the text is another.
        """
        offset, log_start = text.split("/")
        return cls(int(offset), int(log_start))


@dataclass(frozen=True, slots=True)
class FirstPartitions:
    """The partitions that a log had when the ledger first knew it. Kept once, and never changed.

    Attributes:
        topic_id: identity of the log.
        begins: by partition; None where it was not recorded.
    """

    topic_id: str
    begins: Mapping[int, Begin | None]

    def encode(self) -> str:
        """Return the text kept in the ledger: `topic id|partition=offset/log start,…`."""
        listed = (f"{number}={UNRECORDED if each is None else each.encode()}" for number, each in self.begins.items())
        return f"{self.topic_id}|{','.join(listed)}"

    @classmethod
    def decode(cls, text: str) -> Self:
        """Parse what `encode` wrote.

        Raises:
            ValueError: the text is another.
        """
        topic_id, _, listed = text.partition("|")
        pairs = (each.split("=") for each in listed.split(",") if each)
        return cls(topic_id, {int(number): None if at == UNRECORDED else Begin.decode(at) for number, at in pairs})

    def begins_at(self, log_starts: Mapping[int, int]) -> dict[int, Begin]:
        """Return where each partition of the log begins that has no position yet.

        Args:
            log_starts: the first offset of each partition that the log has now.
        """
        return {
            number: self.begins.get(number) or Begin(log_start, log_start) for number, log_start in log_starts.items()
        }

    def late(self, begins: Mapping[int, Begin]) -> dict[int, Begin]:
        """Return those of the partitions that were added later and did not begin at their beginning."""
        return {
            number: each
            for number, each in begins.items()
            if number not in self.begins and each.offset > each.log_start
        }


class Beginning(NamedTuple):
    """What a ledger recorded of where crediting of a log began.

    Attributes:
        first: None where it recorded nothing, as gmv did before 0.2.
        begins: by partition, as far as it is recorded.
    """

    first: FirstPartitions | None
    begins: Mapping[int, Begin]

    @property
    def late(self) -> dict[int, Begin]:
        """Partitions that were added later and did not begin at their beginning."""
        return {} if self.first is None else self.first.late(self.begins)
