"""Replays whose attribution ends the process at some records. Arguments: events file, ledger URL, namespace.

Processes are forked one after the other until one gets through; how each ended is printed. A record that names the
owner `kill`, `segfault` or `memory` as its first ends the process in that way.
"""

import asyncio
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gmv.errors import Poison
from gmv.events.model import GeneratedImage
from gmv.files.log import JsonLinesLog, partition_of
from gmv.files.outbox import FileOutbox
from gmv.files.replay import replay_log
from gmv.ledger.open import open_ledger
from gmv.settings import LedgerSettings
from gmv.valuation.types import Attribution
from tests.stream.world import EqualShares, Notes, by, owners_of, parts

PROCESSES_MAX = 20
RUN_RECORDS = 8
MEMORY_BYTES_MAX = 2**32


def end_process(way: str) -> None:
    """End it as native code does: at once, with nothing cleaned up."""
    if way == "kill":  # what the kernel does to whom it finds no memory for
        os.kill(os.getpid(), signal.SIGKILL)
    elif way == "segfault":
        ctypes.string_at(0)
    elif way == "memory":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        bytearray(2 * MEMORY_BYTES_MAX)


class DyingShares(EqualShares):
    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        for event in events:
            end_process(next(iter(owners_of(event)), ""))
        return super().attribute(events)


def replay(path: Path, url: str, namespace: str) -> None:
    ledger = open_ledger(LedgerSettings(url=url, namespace=namespace))
    outbox = FileOutbox(path.with_suffix(".receipts"), path.with_suffix(".dlq"))
    dying = replace(parts(ledger, outbox, Notes()), valuers=by(DyingShares()))
    asyncio.run(replay_log(dying, JsonLinesLog(path, RUN_RECORDS), partition_of(path)))


def main() -> None:
    path, url, namespace = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    for _ in range(PROCESSES_MAX):
        if (process := os.fork()) == 0:
            replay(path, url, namespace)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status))  # noqa: T201 - this is what it is for
        if status == 0:
            return


if __name__ == "__main__":
    main()
