import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from gmv.encoders.port import Features
from gmv.errors import LedgerUnavailable, Poison, Reason
from gmv.events.model import ImageBytes
from gmv.ledger import port
from gmv.ledger.port import Answer, Batch
from gmv.ledger.position import Position
from gmv.monitoring.catalogue import ANSWERS, Metrics, Stage
from gmv.monitoring.telemetry import (
    MeasuredDecoder,
    MeasuredEncoder,
    MeasuredImages,
    MeasuredLedger,
    MeasuredOutbox,
    MeasuredRecall,
    MeasuredReranker,
    StageClock,
)
from gmv.stream.records import Partition, Record
from gmv.valuation.ranking import MirroredLook, Ranking, Step

POSITION = Position("t", 0)
BATCH = Batch("images", 0, POSITION, Position("t", 1), {}, [])
EVERY_ANSWER: list[Answer] = [
    port.Committed(),
    port.AlreadyCommitted(),
    port.Duplicate(frozenset()),
    port.Fenced(POSITION),
    port.Rewound(POSITION),
    port.Missing(),
    port.OutOfRange("o:ada"),
]


class Ticks:
    """A clock that tells the next of the given times each time it is asked."""

    def __init__(self, *times: float) -> None:
        self._times = iter(times)

    def __call__(self) -> float:
        return next(self._times)


class Inner:
    """Stands for every port: each method returns, or raises, what the test chose, and notes its arguments."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.arguments: tuple[Any, ...] | None = None

    encoder_id = "fitted:1"
    vector_size = 8
    tokens_shape = (4, 2)

    def _called(self, *arguments: Any) -> Any:
        self.arguments = arguments
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def publish(self, *arguments: Any) -> Any:
        return self._called(*arguments)

    decode = read = encode = recall = nearest = known = positions = unregistered = commit = note = take_note = close = (
        _called
    )


Wrap = Callable[[Any, StageClock], Any]


def ledger_over(inner: Any, clock: StageClock) -> MeasuredLedger:
    return MeasuredLedger(inner, clock, Metrics(CollectorRegistry()))


def reranker_over(inner: Any, clock: StageClock) -> MeasuredReranker:
    return MeasuredReranker(inner, clock, Metrics(CollectorRegistry()))


RECORD = Record(0, b"{}")
VECTORS = np.zeros((1, 8), np.float32)
ROWS = np.arange(3)
RANKING = Ranking(ROWS, np.zeros(3), np.zeros(3, np.bool_), None)
CALLS: list[tuple[Wrap, str, tuple[Any, ...], Any, Stage]] = [
    (MeasuredDecoder, "decode", (RECORD,), object(), Stage.DECODE),
    (MeasuredImages, "read", (ImageBytes(b""),), object(), Stage.READ),
    (MeasuredEncoder, "encode", ([],), Features(VECTORS, VECTORS), Stage.ENCODE),
    (MeasuredRecall, "recall", (VECTORS, 100), [ROWS], Stage.RECALL),
    (reranker_over, "nearest", ([VECTORS], [ROWS], 10, [MirroredLook(VECTORS, ROWS)]), [RANKING], Stage.RERANK),
    (MeasuredOutbox, "publish", (Partition("images", 0), [], []), None, Stage.PUBLISH),
    (ledger_over, "known", (0, [b"x"]), {}, Stage.KNOWN),
    (ledger_over, "commit", (BATCH,), port.Committed(), Stage.COMMIT),
]
each_call = pytest.mark.parametrize(
    ("wrap", "method", "arguments", "result", "stage"), CALLS, ids=[c[4] for c in CALLS]
)


def call(wrapped: Any, method: str, arguments: tuple[Any, ...]) -> Any:
    returned = getattr(wrapped, method)(*arguments)
    return asyncio.run(returned) if asyncio.iscoroutine(returned) else returned


@each_call
def test_a_decorator_passes_arguments_in_and_results_out_and_times_the_call(
    wrap: Wrap, method: str, arguments: tuple[Any, ...], result: Any, stage: Stage
) -> None:
    inner = Inner(result)
    clock = StageClock(monotonic=Ticks(10.0, 10.25))

    assert call(wrap(inner, clock), method, arguments) is result

    assert inner.arguments == arguments
    assert clock.lap() == {stage: 0.25}


@each_call
@pytest.mark.parametrize(
    ("error", "is_failure"),
    [(LedgerUnavailable("gone"), True), (ValueError("bug"), True), (Poison(Reason.IMAGE_CORRUPT, "x"), False)],
    ids=["refusal", "bug", "poison"],
)
def test_an_exception_passes_through_and_is_told_unless_it_is_poison(
    wrap: Wrap, method: str, arguments: tuple[Any, ...], result: Any, stage: Stage, error: Exception, is_failure: bool
) -> None:
    failures: list[Stage] = []
    clock = StageClock(failures.append, Ticks(1.0, 3.0))

    with pytest.raises(type(error)) as raised:
        call(wrap(Inner(error), clock), method, arguments)

    assert raised.value is error
    assert failures == ([stage] if is_failure else [])
    assert clock.lap() == {stage: 2.0}


def test_a_cancelled_publication_is_not_a_failure() -> None:
    failures: list[Stage] = []

    class Waiting:
        async def publish(self, *_: Any) -> None:
            await asyncio.Event().wait()

    async def cancel() -> None:
        outbox = MeasuredOutbox(Waiting(), StageClock(failures.append))
        task = asyncio.create_task(outbox.publish(Partition("images", 0), [], []))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert failures == []


def test_an_encoder_is_as_it_was() -> None:
    encoder = MeasuredEncoder(Inner(None), StageClock())

    assert (encoder.encoder_id, encoder.vector_size, encoder.tokens_shape) == ("fitted:1", 8, (4, 2))


def test_a_ledgers_untimed_calls_pass_through() -> None:
    inner = Inner({0: POSITION})
    clock = StageClock()
    ledger = ledger_over(inner, clock)

    assert ledger.positions("images", [0]) is inner.outcome
    asked = inner.arguments
    ledger.close()
    assert (asked, inner.arguments) == (("images", [0]), ())
    assert clock.totals() == {}


def test_every_answer_is_counted_under_its_name() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    for answer in EVERY_ANSWER:
        assert MeasuredLedger(Inner(answer), StageClock(), metrics).commit(BATCH) is answer

    assert len({type(answer) for answer in EVERY_ANSWER}) == len(ANSWERS)
    for name in ANSWERS.values():
        assert registry.get_sample_value("gmv_commits_total", {"answer": name}) == 1.0


def test_a_commit_that_raised_was_no_answer() -> None:
    registry = CollectorRegistry()
    ledger = MeasuredLedger(Inner(LedgerUnavailable("gone")), StageClock(), Metrics(registry))

    with pytest.raises(LedgerUnavailable):
        ledger.commit(BATCH)

    assert (
        sum(registry.get_sample_value("gmv_commits_total", {"answer": name}) or 0.0 for name in ANSWERS.values()) == 0
    )


@pytest.fixture
def timed() -> StageClock:
    clock = StageClock(monotonic=Ticks(0.0, 1.0, 10.0, 12.0, 20.0, 23.0))
    for stage in (Stage.DECODE, Stage.DECODE, Stage.COMMIT):
        with clock.stage(stage):
            pass
    return clock


def test_a_lap_adds_up_and_begins_anew(timed: StageClock) -> None:
    assert timed.lap() == {Stage.DECODE: 3.0, Stage.COMMIT: 3.0}
    assert timed.lap() == {}


async def test_runs_that_are_in_flight_side_by_side_have_laps_of_their_own() -> None:
    """One is published while the other is attributed in a thread; both are measured by the context of their run."""
    timed = StageClock(monotonic=Ticks(20.0, 21.0, 21.5, 23.0))
    laps: dict[str, dict[Stage, float]] = {}
    is_attributed = asyncio.Event()

    async def published() -> None:
        with timed.run():
            with timed.stage(Stage.PUBLISH):  # from 20 to 23
                await is_attributed.wait()
            laps["published"] = timed.lap()

    async def attributed() -> None:
        with timed.run():
            await asyncio.to_thread(encode, timed)
            laps["attributed"] = timed.lap()
        is_attributed.set()

    await asyncio.gather(published(), attributed())
    assert laps == {"published": {Stage.PUBLISH: 3.0}, "attributed": {Stage.ENCODE: 0.5}}
    assert timed.totals() == {Stage.PUBLISH: 3.0, Stage.ENCODE: 0.5}


def encode(clock: StageClock) -> None:
    with clock.stage(Stage.ENCODE):
        pass


def test_totals_hold_past_laps_and_the_one_that_runs(timed: StageClock) -> None:
    assert timed.totals() == {Stage.DECODE: 3.0, Stage.COMMIT: 3.0}
    timed.lap()
    assert timed.totals() == {Stage.DECODE: 3.0, Stage.COMMIT: 3.0}


def test_every_candidate_of_a_rerank_is_counted_by_how_it_ended() -> None:
    registry = CollectorRegistry()
    by_kernel = Ranking(
        ROWS, np.zeros(3), np.zeros(3, np.bool_), dict.fromkeys(Step, 0) | {Step.HALF: 3, Step.CERTIFIED: 2}
    )
    reranker = MeasuredReranker(Inner([by_kernel, RANKING, by_kernel]), StageClock(), Metrics(registry))

    look = MirroredLook(VECTORS, np.arange(2))
    reranker.nearest([VECTORS] * 3, [np.arange(5), np.arange(7), np.arange(5)], 3, [None, look, None])

    counted = {
        step: registry.get_sample_value("gmv_rerank_candidates_total", {"step": step})
        for step in ("relaxed", "half", "certified", "general_transport")
    }
    assert counted == {"relaxed": 0, "half": 6, "certified": 4, "general_transport": 9}
