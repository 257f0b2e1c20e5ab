"""How much more two workers do than one: whole `gmv worker` processes over one topic and one ledger, taking turns.

Workers are all there, with their shares of the partitions, before the first event is: what is timed is crediting, from
a tenth of the events to nine tenths, read off the ledger's positions. What else the machine did meanwhile is given with
the rate, since workers that share their cores with others cannot double it.
"""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gmv.bench.stream import new_ledger, of_its_own
from gmv.bench.topics import PARTITIONS, empty_topic, fill
from gmv.bench.workers import Workers, machine_seconds, require_counts, started_workers
from gmv.errors import InvalidSettings, LogUnavailable
from gmv.ledger.open import open_accounts
from gmv.settings import Settings

_POLL_SECONDS: Final = 0.05
_WORK_SECONDS_MAX: Final = 900.0
_TIMED: Final = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass by a number of workers.

    Attributes:
        workers: how many.
        events_per_second: of all together.
        worker_cores: processors that they used, on average.
        other_cores: processors that everything else on this machine used, the servers included.
    """

    workers: int
    events_per_second: float
    worker_cores: float
    other_cores: float


@dataclass(frozen=True, slots=True)
class WorkersCompared(Pass):
    """Medians over the passes by a number of workers.

    Attributes:
        ratio: of the rate to that of the first number of workers.
        events_per_worker_core_second: events by each second of a processor that workers used.
    """

    ratio: float
    events_per_worker_core_second: float


@dataclass(frozen=True, slots=True)
class ScalingBench:
    """What `bench_scaling` measured.

    Attributes:
        rounds: passes by each number of workers.
        partitions: of the topic.
        threads_per_worker: that compute.
        cores: of this machine; None where it does not say.
        counts: a comparison per number of workers.
        passes: all of them, in order.
    """

    rounds: int
    partitions: int
    threads_per_worker: int
    cores: int | None
    counts: tuple[WorkersCompared, ...]
    passes: tuple[Pass, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """How far the ledger was, and what processors had done until then."""

    seconds: float
    done: int
    worker_core_seconds: float
    machine_core_seconds: float


def bench_scaling(events: Path, index: Path, settings: Settings, workers: Sequence[int], rounds: int) -> ScalingBench:
    """Credit the same events by different numbers of workers, in turn.

    Args:
        events: JSON lines.
        index: folder.
        settings: brokers and a Redis ledger of a server that may be written to; topics and ledgers of the bench's own
            are made there and removed.
        workers: numbers of workers; ratios are to the first.
        rounds: passes of each; medians are reported.

    Raises:
        InvalidSettings: a number is not within the topic's partitions.
    """
    require_counts(workers)
    passes = [_pass(events, index, settings, count) for _ in range(rounds) for count in workers]
    medians = [_median(passes, count) for count in dict.fromkeys(workers)]
    return ScalingBench(
        rounds=rounds,
        partitions=PARTITIONS,
        threads_per_worker=settings.worker.threads,
        cores=os.cpu_count(),
        counts=tuple(_compared(each, medians[0]) for each in medians),
        passes=tuple(passes),
    )


def _compared(median: Pass, baseline: Pass) -> WorkersCompared:
    return WorkersCompared(
        workers=median.workers,
        events_per_second=median.events_per_second,
        worker_cores=median.worker_cores,
        other_cores=median.other_cores,
        ratio=median.events_per_second / baseline.events_per_second,
        events_per_worker_core_second=median.events_per_second / median.worker_cores,
    )


def _median(passes: Sequence[Pass], workers: int) -> Pass:
    ours = [each for each in passes if each.workers == workers]
    return Pass(
        workers,
        statistics.median(each.events_per_second for each in ours),
        statistics.median(each.worker_cores for each in ours),
        statistics.median(each.other_cores for each in ours),
    )


def _pass(events: Path, index: Path, settings: Settings, workers: int) -> Pass:
    ours = of_its_own(settings)
    with empty_topic(ours.kafka), new_ledger(ours), started_workers(index, ours, workers) as processes:
        total = fill(events, ours.kafka)
        moments = list(_progress(ours, total, processes))
    return rate(workers, total, moments)


def rate(workers: int, total: int, moments: Sequence[Moment]) -> Pass:
    """Return what was seen between the moments at which a tenth and nine tenths of the events were done.

    Raises:
        InvalidSettings: there are too few moments, so too few events.
    """
    begun, ended = (next((each for each in moments if each.done >= share * total), None) for share in _TIMED)
    if begun is None or ended is None or ended.done == begun.done:
        raise InvalidSettings("the bench needs events for many runs; give more with EVENTS")
    seconds = ended.seconds - begun.seconds
    used = ended.worker_core_seconds - begun.worker_core_seconds
    busy = ended.machine_core_seconds - begun.machine_core_seconds
    return Pass(workers, (ended.done - begun.done) / seconds, used / seconds, max(0.0, busy - used) / seconds)


def _progress(settings: Settings, total: int, workers: Workers) -> Iterator[Moment]:
    """Yield a moment whenever the ledger got on, until all is done."""
    deadline = time.monotonic() + _WORK_SECONDS_MAX
    done = -1
    with closing(open_accounts(settings.ledger)) as accounts:
        while done < total:
            workers.check()
            if time.monotonic() > deadline:
                raise LogUnavailable(f"the bench's workers did not end within {_WORK_SECONDS_MAX:g} s")
            passed = sum(position.next_offset for position in accounts.positions().values())
            if passed > done:
                done = passed
                yield Moment(time.perf_counter(), done, workers.core_seconds(), machine_seconds())
            time.sleep(_POLL_SECONDS)
