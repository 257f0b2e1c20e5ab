"""Whether a log still is the one that a position stands in: pure rules, which fail closed (I8)."""

from collections.abc import Sequence

from gmv.ledger.position import Position
from gmv.stream.records import Bounds, Partition, Record


def complaint_about_bounds(partition: Partition, position: Position, topic_id: str, bounds: Bounds) -> str | None:
    """Say what keeps the partition from being read at its position, None where nothing does."""
    if position.topic_id != topic_id:
        return (
            f"{partition}: the ledger stands in log {position.topic_id}, this one is {topic_id}: it was deleted and "
            "made again, or is another log of the same name. Give the log a new name, or restore the old one"
        )
    if position.next_offset < bounds.start:
        return (
            f"{partition}: the ledger stands at {position.next_offset}, the log begins at {bounds.start}: "
            f"{bounds.start - position.next_offset} records were lost to retention before they were credited. "
            "Restore them; where nobody can, `gmv ledger accept-loss` gives them up, and says which"
        )
    if position.next_offset > bounds.end:
        return (
            f"{partition}: the ledger stands at {position.next_offset}, the log ends at {bounds.end}: the log was "
            "cut or replaced. Restore it; crediting other records at these offsets would be wrong"
        )
    return None


def complaint_about_epochs(partition: Partition, position: Position, records: Sequence[Record]) -> str | None:
    """Say why these records cannot come after the position, None where nothing speaks against it.

    Along a log the leaders' epochs never decrease. Where one does, a leader was elected that lacked the newest records
    (an unclean election), and has written others at offsets that are credited. Nothing is said where epochs are not
    known, which is -1.
    """
    newest, told_by = position.leader_epoch, "the ledger's position"
    for record in records:
        if 0 <= record.leader_epoch < newest:
            return (
                f"{partition}: the record at {record.offset} was written in leader epoch {record.leader_epoch}, and "
                f"{told_by} is of epoch {newest}: the log was cut, and other records were written in place of credited "
                "ones. Restore it, and switch unclean leader election off"
            )
        if record.leader_epoch > newest:
            newest, told_by = record.leader_epoch, f"the record at {record.offset} before it"
    return None
