"""How much of the computing's rate is left once logs, receipts and ledger are around it: three rates, interleaved."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gmv.assembly.parts import method_of
from gmv.assembly.replay import replay
from gmv.bench.compute import Rate, compute_only
from gmv.bench.own import own_name, remove
from gmv.bench.topics import filled_topic
from gmv.errors import InvalidSettings, LogUnavailable
from gmv.files.lines import read_records
from gmv.files.log import describe_file
from gmv.index.opened import Index
from gmv.kafka.admin import describe_topic
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.redis.keys import book_key
from gmv.monitoring.catalogue import Stage
from gmv.settings import PREFIX, LedgerSettings, Settings, load
from gmv.temporary import TemporaryFolder

WORKER = ("gmv", "worker")

_POLL_SECONDS = 0.02
_WORKER_SECONDS_MAX = 900.0


@dataclass(frozen=True, slots=True)
class StreamBench:
    """What `bench_stream` measured: rates are medians over rounds.

    Attributes:
        events: in a pass.
        rounds: passes over each.
        candidates: M.
        contributors: K.
        compute_events_per_second: of computing alone.
        file_sqlite_events_per_second: from a file into SQLite.
        kafka_redis_events_per_second: from Kafka into Redis.
        ratio_file_sqlite_vs_compute: of the rates.
        ratio_kafka_redis_vs_compute: of the rates.
        stage_seconds: of the last pass from a file into SQLite.
        worker_anonymous_bytes_max: memory of a worker that no file backs.
    """

    events: int
    rounds: int
    candidates: int
    contributors: int
    compute_events_per_second: float
    file_sqlite_events_per_second: float
    kafka_redis_events_per_second: float
    ratio_file_sqlite_vs_compute: float
    ratio_kafka_redis_vs_compute: float
    stage_seconds: Mapping[Stage, float]
    worker_anonymous_bytes_max: int


def bench_stream(events: Path, index: Index, settings: Settings, rounds: int) -> StreamBench:
    """Credit the same events by computing alone, file -> SQLite, and Kafka -> the ledger of the settings.

    Args:
        events: JSON lines.
        index: opened.
        settings: brokers and a Redis ledger of a server that may be written to; topics and ledgers of the bench's own
            are made there and removed.
        rounds: passes over each, interleaved; medians are reported.
    """
    records = list(read_records(events))
    computing: list[Rate] = []
    file_sqlite: list[Rate] = []
    kafka_redis: list[Rate] = []
    for _ in range(rounds):
        computing.append(compute_only(records, index, settings))
        file_sqlite.append(file_to_sqlite(events, index, settings))
        kafka_redis.append(kafka_to_redis(events, index, settings))
    computed, replayed, streamed = (
        statistics.median(each.events_per_second for each in rates) for rates in (computing, file_sqlite, kafka_redis)
    )
    return StreamBench(
        events=describe_file(events).bounds[0].end,
        rounds=rounds,
        candidates=method_of(settings, index).candidates,
        contributors=settings.valuation.contributors,
        compute_events_per_second=computed,
        file_sqlite_events_per_second=replayed,
        kafka_redis_events_per_second=streamed,
        ratio_file_sqlite_vs_compute=replayed / computed,
        ratio_kafka_redis_vs_compute=streamed / computed,
        stage_seconds=file_sqlite[-1].stage_seconds,
        worker_anonymous_bytes_max=max(each.anonymous_bytes for each in kafka_redis),
    )


def file_to_sqlite(events: Path, index: Index, settings: Settings) -> Rate:
    """`gmv replay` into a new SQLite ledger."""
    with TemporaryFolder("bench") as folder:
        book = LedgerSettings(url=f"sqlite:///{folder / 'ledger.db'}")
        log = describe_file(events)
        with closing(open_registry(book)) as registry:
            registry.create(books=1)
            registry.register(log.topic, log.starts())
        with closing(open_ledger(book)) as ledger:
            summary = replay(events, index, ledger, folder / "receipts.jsonl", folder / "dead.jsonl", settings)
    return Rate(summary.events / summary.seconds, summary.stages)


def kafka_to_redis(events: Path, index: Index, settings: Settings, worker: tuple[str, ...] = WORKER) -> Rate:
    """`gmv worker`, or another, over a topic that holds the events already; timed from its first commit to its last."""
    ours = of_its_own(settings)
    with filled_topic(events, ours.kafka), new_ledger(ours):
        moments = list(_progress_of_worker(index.path, ours, worker))
    (first_at, first, _), (last_at, last, _) = moments[0], moments[-1]
    if last == first:
        raise InvalidSettings("the bench needs events for more than one run; give more with --events")
    anonymous_bytes = max(each for _, _, each in moments)
    return Rate((last - first) / (last_at - first_at), {}, anonymous_bytes)


def of_its_own(settings: Settings) -> Settings:
    """Return settings with a topic, a group and a ledger that nobody else has; its members are dynamic.

    Two workers of the same settings would be one static member, and each would put the other out of the group.
    """
    name = own_name()
    return settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(update={"topic": name, "group": name, "instance_id": None}),
            "ledger": settings.ledger.model_copy(update={"namespace": name}),
        }
    )


@contextmanager
def new_ledger(settings: Settings) -> Iterator[None]:
    """Register the settings' topic in a ledger of the settings' namespace, and delete that afterwards."""
    log = describe_topic(settings.kafka)
    with closing(open_registry(settings.ledger)) as registry:
        registry.create(books=1)
        registry.register(log.topic, log.starts())
    try:
        yield
    finally:
        remove(settings.ledger, book_key(settings.ledger.namespace, 0))


def _progress_of_worker(index: Path, settings: Settings, worker: tuple[str, ...]) -> Iterator[tuple[float, int, int]]:
    """Run a worker to the topic's end; yield (seconds, records done, anonymous bytes) whenever it got on."""
    end = sum(bounds.end for bounds in describe_topic(settings.kafka).bounds.values())
    accounts = open_accounts(settings.ledger)
    deadline = time.monotonic() + _WORKER_SECONDS_MAX
    done = 0
    with worker_process(index, settings, worker) as process:
        while done < end:
            if process.poll() is not None or time.monotonic() > deadline:
                raise LogUnavailable(f"the bench's worker ended or hangs (exit code {process.returncode}); see its log")
            passed = sum(position.next_offset for position in accounts.positions().values())
            if passed > done:
                done = passed
                yield time.perf_counter(), done, _anonymous_bytes(process.pid)
            time.sleep(_POLL_SECONDS)
    accounts.close()


@contextmanager
def worker_process(
    index: Path, settings: Settings, worker: tuple[str, ...] = WORKER
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `gmv worker`, or another, by these settings and no others, for as long as it is wanted.

    Raises:
        InvalidSettings: see `variables_of`.
    """
    foreign = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment = foreign | variables_of(settings.model_copy(update={"index": index}))
    command = [sys.executable, "-m", *worker]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - one of those above
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def variables_of(settings: Settings) -> dict[str, str]:
    """Return the variables of an environment from which `load` makes the same settings.

    Raises:
        InvalidSettings: there are none, as for an empty text where the default is another, or a comma inside a list.
    """
    stated = settings.model_dump(mode="json", exclude_defaults=True)
    variables: dict[str, str] = {}
    for name, value in stated.items():
        fields = (
            {f"{name}_{field}": inner for field, inner in value.items()} if isinstance(value, dict) else {name: value}
        )
        variables |= {PREFIX + field.upper(): _text(inner) for field, inner in fields.items()}
    if load(environment=variables) != settings:
        raise InvalidSettings(
            f"the environment of the bench's worker cannot hold all of {', '.join(variables)}: give no empty texts, "
            "and no commas inside of lists"
        )
    return variables


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _anonymous_bytes(process: int) -> int:
    """Memory of the process that no file backs: all but the mapped index and libraries."""
    status = Path(f"/proc/{process}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon"))
    return int(kilobytes) * 1_024
