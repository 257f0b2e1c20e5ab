"""The position: how far a book is in one partition of a log, and the fence that keeps others from moving it."""

from dataclasses import dataclass

_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Position:
    """Where to read next, as the ledger knows it. Compared as an opaque string by a commit.

    Attributes:
        topic_id: identity of the log itself: a topic that is deleted and made again has another.
        next_offset: the first offset that is not yet in the totals.
        leader_epoch: reserved, -1: aiokafka gives no epochs (0.14). Another number that is found is kept as it is.
        batch_id: of the newest batch that credited anything, "" before the first. Each batch id is a digest over
            the batch's receipts and the batch id before it, so it confirms the whole history of receipts.
    """

    topic_id: str
    next_offset: int
    leader_epoch: int = -1
    batch_id: str = ""

    def __post_init__(self) -> None:
        if _SEPARATOR in self.topic_id + self.batch_id or not self.topic_id:
            raise ValueError(f"topic id {self.topic_id!r} or batch id {self.batch_id!r} cannot be part of a position")
        if self.next_offset < 0:
            raise ValueError(f"an offset is never negative: {self.next_offset}")

    def encode(self) -> str:
        """Return the text kept in the ledger: `topic_id|next_offset|leader_epoch|batch_id`."""
        return _SEPARATOR.join((self.topic_id, str(self.next_offset), str(self.leader_epoch), self.batch_id))

    @classmethod
    def decode(cls, text: str) -> "Position":
        """Parse what `encode` wrote.

        Raises:
            ValueError: the text is not a position.
        """
        parts = text.split(_SEPARATOR)
        if len(parts) != 4:
            raise ValueError(f"not a position: {text!r}")
        return cls(parts[0], int(parts[1]), int(parts[2]), parts[3])
