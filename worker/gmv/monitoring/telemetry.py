"""Where a run's time goes: a stop-watch per stage, and decorators that put it around the ports.

Each decorator has the protocol of what it wraps and changes nothing: the same results, the same exceptions. The
code inside knows nothing of being watched.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.around import AroundEncoder
from gmv.encoders.port import Encoder, Features, Numbers
from gmv.errors import Poison
from gmv.events.model import GeneratedImage, ImageBytes, ImageUri
from gmv.events.port import ImageSource
from gmv.index.port import LooksRecalled, Recall
from gmv.ledger.around import AroundLedger
from gmv.ledger.port import Answer, Batch, Known, Ledger
from gmv.monitoring.catalogue import ANSWERS, GENERAL_TRANSPORT, RERANK_STEPS, Metrics, Stage
from gmv.stream.around import AroundCreditor
from gmv.stream.ports import Creditor, DeadLetter, Decoder, Outbox, RunAnswer, SealedReceipt
from gmv.stream.records import Partition, Record, Run
from gmv.valuation.ranking import MirroredLook, Ranking, Reranker, Tokens

_Lap = defaultdict[Stage, float]

_RUN: Final[ContextVar[_Lap | None]] = ContextVar("lap of the run in hand", default=None)


class StageClock:
    """Adds up the seconds of each stage, whichever threads they are in.

    Runs that are in flight side by side are told apart by `run`; outside of it there is one at a time.
    """

    def __init__(
        self,
        on_failure: Callable[[Stage], None] = lambda _: None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._on_failure = on_failure
        self._monotonic = monotonic
        self._outside: _Lap = defaultdict(float)
        self._total: _Lap = defaultdict(float)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Tell the stages of one run from those of others in flight, by its context."""
        token = _RUN.set(defaultdict(float))
        try:
            yield
        finally:
            _RUN.reset(token)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Time a stage; an exception other than poison, which is an outcome, counts as its failure."""
        start = self._monotonic()
        try:
            yield
        except Poison:
            raise
        except Exception:
            self._on_failure(stage)
            raise
        finally:
            self._lap()[stage] += self._monotonic() - start

    def lap(self) -> dict[Stage, float]:
        """Return the seconds of each stage of this run since the last lap, of those that ran, and begin another."""
        current = self._lap()
        lap = dict(current)
        for stage, seconds in lap.items():
            self._total[stage] += seconds
        current.clear()
        return lap

    def totals(self) -> dict[Stage, float]:
        """Return the seconds of each stage that ever ran, but for those of runs in flight."""
        lap = self._outside
        return {stage: self._total[stage] + lap[stage] for stage in Stage if stage in {*self._total, *lap}}

    def _lap(self) -> _Lap:
        lap = _RUN.get()
        return self._outside if lap is None else lap


class MeasuredCreditor(AroundCreditor):
    """A `Creditor`: stages are counted for the run that they are of."""

    def __init__(self, inner: Creditor, clock: StageClock) -> None:
        super().__init__(inner)
        self._clock = clock

    @override
    async def credit(self, run: Run, confirmed: Awaitable[None] | None = None) -> RunAnswer:
        with self._clock.run():
            return await super().credit(run, confirmed)


class MeasuredDecoder(Decoder):
    """A `Decoder`."""

    def __init__(self, inner: Decoder, clock: StageClock) -> None:
        self._inner = inner
        self._clock = clock

    @override
    def decode(self, record: Record) -> GeneratedImage:
        with self._clock.stage(Stage.DECODE):
            return self._inner.decode(record)


class MeasuredImages(ImageSource):
    """An `ImageSource`."""

    def __init__(self, inner: ImageSource, clock: StageClock) -> None:
        self._inner = inner
        self._clock = clock

    @override
    def read(self, content: ImageBytes | ImageUri) -> NDArray[np.uint8]:
        with self._clock.stage(Stage.READ):
            return self._inner.read(content)


class MeasuredEncoder(AroundEncoder):
    """An `Encoder`."""

    def __init__(self, inner: Encoder, clock: StageClock) -> None:
        super().__init__(inner)
        self._clock = clock

    @override
    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        with self._clock.stage(Stage.ENCODE):
            return self._inner.encode(images)


class MeasuredRecall(Recall):
    """A `Recall`."""

    def __init__(self, inner: Recall, clock: StageClock) -> None:
        self._inner = inner
        self._clock = clock

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        with self._clock.stage(Stage.RECALL):
            return self._inner.recall(vectors, candidates)

    @override
    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        with self._clock.stage(Stage.RECALL):
            return self._inner.recall_looks(vectors, candidates)


class MeasuredReranker(Reranker):
    """A `Reranker`; also counts how candidates end."""

    def __init__(self, inner: Reranker, clock: StageClock, metrics: Metrics) -> None:
        self._inner = inner
        self._clock = clock
        self._candidates = metrics.rerank_candidates

    @override
    def nearest(
        self,
        queries: Sequence[Tokens],
        candidates: Sequence[NDArray[np.int64]],
        contributors: int,
        mirrored: Sequence[MirroredLook | None] | None = None,
    ) -> list[Ranking]:
        with self._clock.stage(Stage.RERANK):
            rankings = self._inner.nearest(queries, candidates, contributors, mirrored)
        ended: Counter[str] = Counter()
        looks = [None] * len(rankings) if mirrored is None else mirrored
        for ranking, rows, look in zip(rankings, candidates, looks, strict=True):
            if ranking.ended is None:
                ended[GENERAL_TRANSPORT] += len(rows) + (0 if look is None else len(look.candidates))
            else:
                ended.update({RERANK_STEPS[step]: count for step, count in ranking.ended.items()})
        for step, count in ended.items():
            self._candidates.labels(step).inc(count)
        return rankings


class MeasuredOutbox(Outbox):
    """An `Outbox`."""

    def __init__(self, inner: Outbox, clock: StageClock) -> None:
        self._inner = inner
        self._clock = clock

    @override
    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        with self._clock.stage(Stage.PUBLISH):
            await self._inner.publish(partition, receipts, dead_letters)


class MeasuredLedger(AroundLedger):
    """A `Ledger`; also counts what it answers. What belongs to no run is not timed."""

    def __init__(self, inner: Ledger, clock: StageClock, metrics: Metrics) -> None:
        super().__init__(inner)
        self._clock = clock
        self._answers = metrics.commits

    @override
    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        with self._clock.stage(Stage.KNOWN):
            return self._inner.known(partition, identities)

    @override
    def commit(self, batch: Batch) -> Answer:
        with self._clock.stage(Stage.COMMIT):
            answer = self._inner.commit(batch)
        self._answers.labels(ANSWERS[type(answer)]).inc()
        return answer
