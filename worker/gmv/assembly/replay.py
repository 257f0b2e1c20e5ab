"""A replay of a file of events, put together."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry
from typing_extensions import override

from gmv.assembly.parts import assemble_parts, assemble_valuer
from gmv.errors import EventsRefused, Reason
from gmv.files.log import JsonLinesLog, partition_of
from gmv.files.outbox import FileOutbox
from gmv.files.replay import replay_log
from gmv.index.opened import Index
from gmv.ledger.port import Answer, Ledger
from gmv.ledger.position import Position
from gmv.monitoring.catalogue import Metrics, Stage
from gmv.monitoring.telemetry import StageClock
from gmv.settings import Settings
from gmv.stream.core import Parts
from gmv.stream.ports import DeadLetter, Observer, Outbox, RunSummary, SealedReceipt
from gmv.stream.records import Bounds, Partition
from gmv.stream.stamped import OneValuer

DEAD_LETTERS_SHOWN_MAX: Final = 5


class DeadLetterLine(NamedTuple):
    """A dead letter as it is shown: its line, counted from 1, and why it cannot be credited."""

    line: int
    reason: Reason
    detail: str


@dataclass
class ReplaySummary:
    """What a replay did, or found done.

    Attributes:
        events: records read.
        credited: events credited now.
        duplicates: events that were credited before.
        dead_letters: records that cannot be credited.
        reasons: dead letters by reason.
        first_dead_letters: the first `DEAD_LETTERS_SHOWN_MAX` dead letters of this replay.
        micros: micro-credits committed now.
        unattributed_micros: those of them that the account `unattributed` was credited.
        unreliable: events credited now whose evidence is not reliable, whoever was paid.
        already_done: lines that the ledger was past when the replay began.
        seconds: from the first read to the last commit.
        stages: seconds per stage.
        is_begun: whether the ledger's position is known; before that the rest says nothing.
        stopped: why it ended before the file did, as a sentence; None where it did not.
    """

    events: int = 0
    credited: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    reasons: dict[Reason, int] = field(default_factory=dict)
    first_dead_letters: list[DeadLetterLine] = field(default_factory=list)
    micros: int = 0
    unattributed_micros: int = 0
    unreliable: int = 0
    already_done: int = 0
    seconds: float = 0.0
    stages: Mapping[Stage, float] = field(default_factory=dict)
    is_begun: bool = False
    stopped: str | None = None


class Tally(Observer):
    """An `Observer` that adds up what is committed, and nothing that is not.

    Attributes:
        summary: added to.
        published: first dead letters of the run that is not committed yet, by line.
    """

    def __init__(self, summary: ReplaySummary, progress: Callable[[int], None]) -> None:
        self.summary = summary
        self.published: dict[int, DeadLetterLine] = {}
        self._progress = progress

    @override
    def run_finished(self, summary: RunSummary) -> None:
        total = self.summary
        total.events += summary.records
        total.credited += summary.credited
        total.duplicates += summary.duplicates
        total.micros += summary.micros
        for attribution in summary.attributions:
            total.unattributed_micros += attribution.unattributed_micros
            total.unreliable += attribution.evidence is not None and not attribution.evidence.is_reliable
        for reason, count in summary.dead_letters.items():
            total.dead_letters += count
            total.reasons[reason] = total.reasons.get(reason, 0) + count
        committed = [each for line, each in self.published.items() if line <= summary.position.next_offset]
        total.first_dead_letters += committed[: DEAD_LETTERS_SHOWN_MAX - len(total.first_dead_letters)]
        self.published.clear()
        self._progress(summary.records)

    @override
    def positions_assigned(self, positions: Mapping[Partition, Position]) -> None:
        self.summary.is_begun = True
        self.summary.already_done = sum(position.next_offset for position in positions.values())
        self._progress(self.summary.already_done)

    @override
    def bounds_read(self, bounds: Mapping[Partition, Bounds]) -> None:
        pass

    @override
    def commit_refused(self, partition: Partition, answer: Answer) -> None:
        pass


class DeadLetterRecorder(Outbox):
    """An `Outbox` that takes down the first dead letters of a run."""

    def __init__(self, inner: Outbox, tally: Tally) -> None:
        self._inner = inner
        self._tally = tally

    @override
    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        for dead_letter in dead_letters[:DEAD_LETTERS_SHOWN_MAX]:
            line = dead_letter.record.offset + 1
            self._tally.published[line] = DeadLetterLine(line, dead_letter.poison.reason, dead_letter.poison.detail)
        await self._inner.publish(partition, receipts, dead_letters)


def replay(
    events: Path,
    index: Index,
    ledger: Ledger,
    receipts: Path,
    dead_letters: Path,
    settings: Settings,
    progress: Callable[[int], None] = lambda _lines: None,
    summary: ReplaySummary | None = None,
) -> ReplaySummary:
    """Credit a JSON-lines file of events from the ledger's position to the file's end.

    Args:
        events: the file.
        index: opened.
        ledger: initialised for the file.
        receipts: appended to.
        dead_letters: appended to.
        settings: of everything.
        progress: called with the number of lines done since the last call.
        summary: filled in and returned; true also where this raises.

    Raises:
        EventsRefused: the last line has no end.
        Refusal: what stopped it; what was committed until then stays, and the next replay goes on from there.
    """
    summary = ReplaySummary() if summary is None else summary
    clock, tally = StageClock(), Tally(summary, progress)
    log = JsonLinesLog(events, settings.kafka.run_records_max)
    outbox = FileOutbox(receipts, dead_letters)
    started = time.perf_counter()
    try:
        telling = DeadLetterRecorder(outbox, tally)
        metrics = Metrics(CollectorRegistry())
        valuers = OneValuer(assemble_valuer(index, settings, clock, metrics))
        parts = assemble_parts(valuers, ledger, telling, tally, clock, metrics, settings)
        _replay_whole(parts, log, partition_of(events))
    except BaseException as error:
        summary.stopped = str(error) or type(error).__name__
        raise
    finally:
        outbox.close()
        log.close()
        summary.seconds = time.perf_counter() - started
        summary.stages = clock.totals()
    return summary


def _replay_whole(parts: Parts, log: JsonLinesLog, partition: Partition) -> None:
    asyncio.run(replay_log(parts, log, partition))
    if complaint := log.complaint_about_end:
        raise EventsRefused(complaint)
