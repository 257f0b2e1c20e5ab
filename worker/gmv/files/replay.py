"""File in, credits out: the worker core over a file of events, from the ledger's position to the file's end."""

from concurrent.futures import ThreadPoolExecutor

from gmv.errors import EventsRefused
from gmv.ledger.port import Committed, Fenced
from gmv.stream.core import Core, Parts
from gmv.stream.ports import Log
from gmv.stream.records import Partition


async def replay_log(parts: Parts, log: Log, partition: Partition) -> None:
    """Credit all of the file that the ledger has not credited yet.

    Args:
        parts: of the core.
        log: the file; an empty read is its end.
        partition: of the file.

    Raises:
        EventsRefused: another process credits the same file into the same ledger.
        Refusal: what the core raises.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="core") as executor:
        core = Core(parts, executor)
        await core.assign([partition], log)
        log.seek(partition, core.next_offset(partition))
        while runs := await log.read():
            answer = await core.credit(runs[0])
            if isinstance(answer, Fenced):
                raise EventsRefused(
                    f"{partition.topic}: another process moved the ledger on, to line {answer.found.next_offset}; "
                    "let it finish, or stop it and run again"
                )
            if not isinstance(answer, Committed):
                log.seek(partition, core.next_offset(partition))
