"""How long an event takes from its producer into the ledger, at a steady pace; and what gmv's own histogram says of it.

From just before an event is handed to the client until the position in Redis has passed it. Whole `gmv worker`
processes, which have their partitions before the first event, and some seconds to warm up, as the broker has.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis import RedisCluster

from gmv.bench.histogram import Histogram, histogram_of, together
from gmv.bench.steady import SteadyProducer, events_of, messages
from gmv.bench.stream import new_ledger, of_its_own
from gmv.bench.topics import PARTITIONS, empty_topic
from gmv.bench.workers import Workers, machine_seconds, require_counts, started_workers
from gmv.errors import EventsRefused, LogUnavailable
from gmv.ledger.fence import parse
from gmv.ledger.redis.keys import book_key, position_field
from gmv.ledger.redis.server import RedisServer
from gmv.monitoring.catalogue import Stage
from gmv.settings import Settings

_POLL_SECONDS: Final = 0.001
_COUNTED_SECONDS_MAX: Final = 5.0
_CHECK_SECONDS: Final = 1.0
_LATEST_SECONDS_MAX: Final = 60.0  # after the last event was sent

Times = Sequence[Sequence[float]]
"""By partition, in order of offset: seconds of `time.perf_counter`."""


@dataclass(frozen=True, slots=True)
class LatencyBench:
    """What `bench_latency` measured.

    Attributes:
        events: measured, after those of the warm-up.
        workers: how many.
        partitions: of the topic.
        events_per_second: at which they were sent.
        p50_ms: half of the events were in the ledger after so long, from produce to position.
        p90_ms: ditto, of 90 %.
        p99_ms: ditto, of 99 %.
        max_ms: the longest.
        histogram_events: that `gmv_event_to_credit_seconds` counted in the same time.
        histogram_p50_ms: that `histogram_quantile` reads off it.
        histogram_p90_ms: ditto.
        histogram_p99_ms: ditto.
        events_per_run: on average, by `gmv_run_records`.
        stage_ms_per_run: on average, by `gmv_stage_seconds`, of the stages that ran.
        worker_cores: processors that workers used, on average.
        worker_cores_missed: of their threads, how many were ready and had no core, on average.
        other_cores: processors that everything else on this machine used, servers and this bench included.
    """

    events: int
    workers: int
    partitions: int
    events_per_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    histogram_events: int
    histogram_p50_ms: float
    histogram_p90_ms: float
    histogram_p99_ms: float
    events_per_run: float
    stage_ms_per_run: Mapping[Stage, float]
    worker_cores: float
    worker_cores_missed: float
    other_cores: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent.

    Attributes:
        per_second: events.
        warm_up_seconds: for so long events are sent and not measured.
        seconds: that are measured.
    """

    per_second: float
    warm_up_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Standing:
    """What workers had done at a moment."""

    seconds: float
    worker_core_seconds: float
    worker_waited_seconds: float
    machine_core_seconds: float
    event_to_credit: Histogram
    run_records: Histogram
    stages: Mapping[Stage, Histogram]


def bench_latency(events: Path, index: Path, settings: Settings, workers: int, load: Load) -> LatencyBench:
    """Send events at a steady pace, and see when each is in the ledger.

    Args:
        events: JSON lines, sent over and over under names of their own; lines that are no events are passed over.
        index: folder.
        settings: brokers and a Redis ledger of a server that may be written to; topics and a ledger of the bench's own
            are made there and removed.
        workers: how many.
        load: what is sent.

    Raises:
        EventsRefused: there is no event in the file, or no time to send one.
        InvalidSettings: so many workers cannot have a partition each.
        LogUnavailable: a worker ended, or did not keep up.
    """
    require_counts([workers])
    lines = events_of(events.read_bytes().splitlines())
    count = math.floor(load.seconds * load.per_second)
    if not count:
        raise EventsRefused(f"in {load.seconds:g} s at {load.per_second:g} events per second there is no event")
    ours = of_its_own(settings)
    with (
        empty_topic(ours.kafka),
        new_ledger(ours),
        started_workers(index, ours, workers) as processes,
        closing(SteadyProducer(ours.kafka, messages(lines, time.time_ns()))) as producer,
        closing(_Positions(ours)) as positions,
    ):
        warm_up = math.floor(load.warm_up_seconds * load.per_second)
        _pass(producer, positions, processes, warm_up, load.per_second)
        before = _settled(processes, warm_up)
        sent_at, credited_at = _pass(producer, positions, processes, count, load.per_second)
        after = _settled(processes, warm_up + count)
    return _result(workers, sent_at, credited_at, before, after)


class _Positions:
    """The positions in the ledger, asked for on a connection of their own, at 0.06 ms of a processor a time.

    Through the ledger's client that is 0.15 ms: a sixth of a core at 1,000 a second, which the workers would miss.
    """

    def __init__(self, settings: Settings) -> None:
        self._server = RedisServer(settings.ledger)
        key = book_key(settings.ledger.namespace, 0)
        fields = [position_field(settings.kafka.topic, number) for number in range(PARTITIONS)]
        client: Any = self._server.client
        if isinstance(client, RedisCluster):
            client = client.get_node_from_key(key).redis_connection  # type: ignore[no-untyped-call]

        self._connection = client.connection_pool.get_connection()
        self._command = self._connection.pack_command("HMGET", key, *fields)
        self._answer: list[bytes] = []
        self._next_offsets: list[int] = []

    def next_offsets(self) -> list[int]:
        """Return them by partition."""
        self._connection.send_packed_command(self._command)
        answer = self._connection.read_response()
        if answer != self._answer:
            self._answer = answer
            found = [parse(value.decode()) for value in answer]
            self._next_offsets = [position.next_offset if position else 0 for position in found]
        return self._next_offsets

    def close(self) -> None:
        """Close the connections."""
        self._connection.disconnect()
        self._server.close()


def _pass(
    producer: SteadyProducer, positions: _Positions, workers: Workers, count: int, per_second: float
) -> tuple[Times, Times]:
    """Send so many events and wait until the ledger is past them; return when each was sent, and when seen there."""
    begins = positions.next_offsets()
    ending: list[bool] = []
    with ThreadPoolExecutor(1, thread_name_prefix="producer") as executor:
        sending = executor.submit(producer.send, count, per_second, lambda: bool(ending))
        try:
            seen = list(_moves(positions, workers, sending, sum(begins) + count))
        finally:
            ending.append(True)
        return sending.result(), credited(begins, seen)


def _moves(
    positions: _Positions, workers: Workers, sending: Future[list[list[float]]], end: int
) -> Iterator[tuple[float, Sequence[int]]]:
    """Yield (seconds, next offset by partition) whenever the ledger got on, until all are past `end` together."""
    last: Sequence[int] = []
    check_at, deadline = 0.0, math.inf
    while sum(last) < end:
        found = positions.next_offsets()
        now = time.perf_counter()
        if found is not last:
            last = found
            yield now, found
        if now >= check_at:
            check_at = now + _CHECK_SECONDS
            workers.check()
            deadline = min(deadline, now + _LATEST_SECONDS_MAX) if sending.done() else math.inf
            if sending.done():
                sending.result()
        if now > deadline:
            raise LogUnavailable(
                f"{end - sum(last)} events were not in the ledger {_LATEST_SECONDS_MAX:g} s after the last was sent: "
                "the workers do not keep up; lower --per-second"
            )
        time.sleep(_POLL_SECONDS)


def credited(begins: Sequence[int], moves: Sequence[tuple[float, Sequence[int]]]) -> Times:
    """Return when each record was first seen below its partition's position.

    Args:
        begins: next offset by partition, before.
        moves: (seconds, next offset by partition), in order.
    """
    times: list[list[float]] = [[] for _ in begins]
    for seconds, next_offsets in moves:
        for begin, known, next_offset in zip(begins, times, next_offsets, strict=True):
            known += [seconds] * (next_offset - begin - len(known))
    return times


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the least of them that so large a share is not above (nearest rank); `share` is within (0, 1]."""
    return ascending[math.ceil(share * len(ascending)) - 1]


def _settled(workers: Workers, events: int) -> _Standing:
    """Return how workers stand once they counted so many: an event is in the ledger before its worker hears of it."""
    deadline = time.perf_counter() + _COUNTED_SECONDS_MAX
    while (standing := _standing(workers)).event_to_credit.count < events and time.perf_counter() < deadline:
        time.sleep(_POLL_SECONDS)
    return standing


def _standing(workers: Workers) -> _Standing:
    metrics = workers.metrics()

    def histogram(name: str, **labels: str) -> Histogram:
        return together([histogram_of(families[name], **labels) for families in metrics])

    return _Standing(
        seconds=time.perf_counter(),
        worker_core_seconds=workers.core_seconds(),
        worker_waited_seconds=workers.waited_seconds(),
        machine_core_seconds=machine_seconds(),
        event_to_credit=histogram("gmv_event_to_credit_seconds"),
        run_records=histogram("gmv_run_records"),
        stages={stage: histogram("gmv_stage_seconds", stage=stage) for stage in Stage},
    )


def _result(workers: int, sent_at: Times, credited_at: Times, before: _Standing, after: _Standing) -> LatencyBench:
    waits_ms = sorted(
        (end - begin) * 1e3
        for ends, begins in zip(credited_at, sent_at, strict=True)
        for end, begin in zip(ends, begins, strict=True)
    )
    sent = [moment for moments in sent_at for moment in moments]
    seconds = after.seconds - before.seconds
    used = after.worker_core_seconds - before.worker_core_seconds
    histogram = after.event_to_credit.since(before.event_to_credit)
    stages = {stage: after.stages[stage].since(before.stages[stage]) for stage in Stage}
    return LatencyBench(
        events=len(waits_ms),
        workers=workers,
        partitions=PARTITIONS,
        events_per_second=(len(sent) - 1) / (max(sent) - min(sent)) if len(sent) > 1 else 0.0,
        p50_ms=percentile(waits_ms, 0.5),
        p90_ms=percentile(waits_ms, 0.9),
        p99_ms=percentile(waits_ms, 0.99),
        max_ms=waits_ms[-1],
        histogram_events=round(histogram.count),
        histogram_p50_ms=histogram.quantile(0.5) * 1e3,
        histogram_p90_ms=histogram.quantile(0.9) * 1e3,
        histogram_p99_ms=histogram.quantile(0.99) * 1e3,
        events_per_run=after.run_records.since(before.run_records).mean,
        stage_ms_per_run={stage: each.mean * 1e3 for stage, each in stages.items() if each.count},
        worker_cores=used / seconds,
        worker_cores_missed=(after.worker_waited_seconds - before.worker_waited_seconds) / seconds,
        other_cores=max(0.0, after.machine_core_seconds - before.machine_core_seconds - used) / seconds,
    )
