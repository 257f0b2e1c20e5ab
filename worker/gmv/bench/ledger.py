"""What exactly-once costs: the commit script against HINCRBY, which forgets what it has counted, in one run."""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final, NamedTuple

from gmv.bench.own import own_name, remove
from gmv.errors import LedgerRefused
from gmv.ledger.fields import OWNER_PREFIX
from gmv.ledger.open import open_ledger, open_registry
from gmv.ledger.port import Batch, Committed, Entry
from gmv.ledger.position import Position
from gmv.ledger.redis.keys import book_key
from gmv.ledger.redis.server import RedisServer
from gmv.settings import LedgerSettings
from gmv.temporary import TemporaryFolder
from gmv.valuation.types import MICROS_PER_CREDIT

CONTRIBUTORS_MAX: Final = 10
_TOPIC: Final = "bench"
_START: Final = Position("bench-1", 0)


class Shape(NamedTuple):
    """What a batch is like.

    Attributes:
        events: credited by a batch.
        owners: who may earn from them; few earn most.
    """

    events: int = 128
    owners: int = 500


USUAL: Final = Shape()


@dataclass(frozen=True, slots=True)
class LedgerBench:
    """What `bench_ledger` measured: rates are medians over rounds.

    Attributes:
        batches: in a round.
        rounds: passes over each of the three.
        seed: of the batches.
        events_per_batch: credited by each.
        owners: who may earn.
        owner_increments_per_batch: on average, in the last round.
        baseline: what ratios are to, in words.
        commit_owner_increments_per_second: of gmv's commit, in Redis.
        hincrby_owner_increments_per_second: of the baseline.
        sqlite_owner_increments_per_second: of gmv's commit, in SQLite.
        ratio_commit_vs_hincrby: of the rates.
        ratio_sqlite_vs_hincrby: of the rates.
        commit_events_per_second: of gmv's commit, in Redis.
    """

    batches: int
    rounds: int
    seed: int
    events_per_batch: int
    owners: int
    owner_increments_per_batch: float
    baseline: str
    commit_owner_increments_per_second: float
    hincrby_owner_increments_per_second: float
    sqlite_owner_increments_per_second: float
    ratio_commit_vs_hincrby: float
    ratio_sqlite_vs_hincrby: float
    commit_events_per_second: float


Commit = Callable[[Batch], None]


def bench_ledger(settings: LedgerSettings, batches: int, rounds: int, seed: int, shape: Shape = USUAL) -> LedgerBench:
    """Add the same credits to a Redis ledger, to a Redis hash by HINCRBY, and to a SQLite ledger.

    Each gets one owner increment per owner and batch, in one round trip per batch. The commit script also keeps the
    batch's events, its sums and the position, and checks them; HINCRBY in a pipeline does nothing else at all.

    Args:
        settings: a Redis server that may be written to; keys of the bench's own are made there and removed.
        batches: per round.
        rounds: passes over each of the three, interleaved; medians are reported.
        seed: of the batches.
        shape: of the batches; 320 events of 200,000 owners are about 1,000 owner increments.

    Raises:
        CreditOutOfRange: such batches are larger than one commit may be.
        LedgerUnavailable: the server does not answer.
    """
    rates: dict[str, list[float]] = {}
    increments = 0
    with _redis_ledger(settings) as commit, _redis_hash(settings) as hincrby, _sqlite_ledger() as sqlite:
        ways: list[tuple[str, Commit]] = [("commit", commit), ("hincrby", hincrby), ("sqlite", sqlite)]
        work = make_batches(seed, shape)
        for _ in range(rounds):
            round_batches = [next(work) for _ in range(batches)]
            increments = sum(len(batch.credits) for batch in round_batches)
            for name, way in ways:
                rates.setdefault(name, []).append(increments / _seconds(way, round_batches))
            ways.reverse()  # so that none is always the first
    commits, hincrbys, sqlites = (statistics.median(rates[name]) for name in ("commit", "hincrby", "sqlite"))
    return LedgerBench(
        batches=batches,
        rounds=rounds,
        seed=seed,
        events_per_batch=shape.events,
        owners=shape.owners,
        owner_increments_per_batch=increments / batches,
        baseline="HINCRBY per owner and batch, pipelined, without events, sums or position",
        commit_owner_increments_per_second=commits,
        hincrby_owner_increments_per_second=hincrbys,
        sqlite_owner_increments_per_second=sqlites,
        ratio_commit_vs_hincrby=commits / hincrbys,
        ratio_sqlite_vs_hincrby=sqlites / hincrbys,
        commit_events_per_second=commits * shape.events * batches / increments,
    )


def make_batches(seed: int, shape: Shape = USUAL) -> Iterator[Batch]:
    """Yield batches that follow each other without end: events of up to 10 contributors, few owners earning most."""
    chance = random.Random(seed)  # noqa: S311 - made up events
    owners = [f"owner-{number:03d}" for number in range(shape.owners)]
    weights = list(accumulate(1 / rank for rank in range(1, shape.owners + 1)))
    expected = _START
    while True:
        credited: Counter[str] = Counter()
        for _ in range(shape.events):
            contributors = chance.choices(owners, cum_weights=weights, k=chance.randint(1, CONTRIBUTORS_MAX))
            for owner_id in contributors:
                credited[owner_id] += MICROS_PER_CREDIT // len(contributors)
        offsets = range(expected.next_offset, expected.next_offset + shape.events)
        following = replace(expected, next_offset=offsets.stop, batch_id=chance.randbytes(16).hex())
        entries = [Entry(chance.randbytes(16), offset, chance.randbytes(8)) for offset in offsets]
        yield Batch(_TOPIC, 0, expected, following, dict(credited), entries)
        expected = following


def _seconds(commit: Commit, batches: list[Batch]) -> float:
    started = time.perf_counter()
    for batch in batches:
        commit(batch)
    return time.perf_counter() - started


@contextmanager
def _ledger(settings: LedgerSettings) -> Iterator[Commit]:
    with closing(open_registry(settings)) as registry:
        registry.create(books=1)
        registry.register(_TOPIC, {0: _START})

    with closing(open_ledger(settings)) as ledger:

        def commit(batch: Batch) -> None:
            if (answer := ledger.commit(batch)) != Committed():
                raise LedgerRefused(f"{settings.url} answers the bench's own batch with {answer}: who else writes it?")

        yield commit


@contextmanager
def _redis_ledger(settings: LedgerSettings) -> Iterator[Commit]:
    ours = settings.model_copy(update={"namespace": own_name()})
    try:
        with _ledger(ours) as commit:
            yield commit
    finally:
        remove(settings, book_key(ours.namespace, 0))


@contextmanager
def _redis_hash(settings: LedgerSettings) -> Iterator[Commit]:
    key = book_key(own_name(), 0)
    with closing(RedisServer(settings)) as server:
        pipeline = server.client.pipeline(transaction=False)

        def commit(batch: Batch) -> None:
            for owner_id, micros in batch.credits.items():
                pipeline.hincrby(key, OWNER_PREFIX + owner_id, micros)
            pipeline.execute()

        try:
            yield commit
        finally:
            remove(settings, key)


@contextmanager
def _sqlite_ledger() -> Iterator[Commit]:
    with (
        TemporaryFolder("bench") as folder,
        _ledger(LedgerSettings(url=f"sqlite:///{folder / 'ledger.db'}")) as commit,
    ):
        yield commit
