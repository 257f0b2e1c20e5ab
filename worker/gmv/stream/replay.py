"""File in, credits out: the worker core over a file of events, from where the ledger stands to the file's end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gmv.errors import EventsRefused
from gmv.ledger.port import Committed, Fenced
from gmv.stream.core import Core, Parts
from gmv.stream.file_log import JsonLinesLog
from gmv.stream.records import Partition


async def replay(
    parts: Parts, log: JsonLinesLog, partition: Partition, progress: Callable[[int, int], None] | None = None
) -> None:
    """Credit all of the file that the ledger has not credited yet.

    Args:
        parts: of the core.
        log: the file.
        partition: of the file.
        progress: called after each run with (lines credited in the ledger, lines in the file).

    Raises:
        EventsRefused: another process credits the same file into the same ledger.
        Refusal: whatever the core raises.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="core") as executor:
        core = Core(parts, executor)
        await core.take_up([partition], log)
        end = (await log.bounds([partition]))[partition].end
        log.seek(partition, core.next_offset(partition))
        while True:
            if progress:
                progress(core.next_offset(partition), end)
            runs = await log.read()
            if not runs:
                return
            standing = await core.credit(runs[0])
            if isinstance(standing, Fenced):
                raise EventsRefused(
                    f"{partition.topic}: another process moved the ledger on, to line {standing.found.next_offset}; "
                    "let it finish, or stop it and run again"
                )
            if not isinstance(standing, Committed):
                log.seek(partition, core.next_offset(partition))
