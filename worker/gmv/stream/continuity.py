"""Whether a log still is the one that a position belongs to: pure rules, which fail closed (I8)."""

from gmv.ledger.position import Position
from gmv.stream.records import Bounds, Partition


def complaint_about_bounds(partition: Partition, position: Position, topic_id: str, bounds: Bounds) -> str | None:
    """Say what keeps the partition from being read at its position, None where nothing does."""
    if position.topic_id != topic_id:
        return (
            f"{partition}: the ledger's position is in log {position.topic_id}, this one is {topic_id}: it was deleted "
            "and made again, or is another log of the same name. Give the log a new name, or restore the old one"
        )
    if position.next_offset < bounds.start:
        return (
            f"{partition}: the ledger's position is {position.next_offset}, the log begins at {bounds.start}: "
            f"{bounds.start - position.next_offset} records were lost to retention before they were credited. "
            "Restore them; where nobody can, `gmv ledger accept-loss` gives them up, and says which"
        )
    if position.next_offset > bounds.end:
        return (
            f"{partition}: the ledger's position is {position.next_offset}, the log ends at {bounds.end}: the log was "
            "cut or replaced. Restore it; crediting other records at these offsets would be wrong"
        )
    return None
