"""The method over an index, and the core's parts around it, each stage timed."""

from concurrent.futures import ThreadPoolExecutor

from typing_extensions import override

from gmv.assembly.evidence import judge_of
from gmv.assembly.left_out import RecallOfOthers, left_out_rows
from gmv.assembly.owners import read_ownership, settings_digest
from gmv.assembly.side_by_side import EncoderSideBySide, RecallSideBySide, SideBySide
from gmv.attributor import Attributor
from gmv.encoders.port import Encoder
from gmv.encoders.reduced import ReducedFeatures
from gmv.events.cloudevents import decode
from gmv.events.model import GeneratedImage
from gmv.events.reader import ImageReader
from gmv.index.opened import Index
from gmv.index.past_copies import RecallPastCopies
from gmv.index.port import Recall
from gmv.ledger.port import Ledger
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.depth import RecallDepth
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
from gmv.settings import Method, Settings
from gmv.stream.core import Parts
from gmv.stream.dead_letter_limits import DeadLetterLimits
from gmv.stream.outcomes import Stamp
from gmv.stream.ports import Decoder, Observer, Outbox
from gmv.stream.records import Record
from gmv.stream.stamped import StampedValuer, Valuers
from gmv.valuation.copies import OnePlacePerGroup
from gmv.valuation.evidence import RANK
from gmv.valuation.owners import Ownership
from gmv.valuation.ranking import Reranker
from gmv.valuation.wasserstein.rerank import ExactReranker


class EventDecoder(Decoder):
    """CloudEvents from records; the `Decoder` of every log."""

    @override
    def decode(self, record: Record) -> GeneratedImage:
        return decode(record.value, record.headers)


def method_of(settings: Settings, index: Index) -> Method:
    """Return what decides credits: the settings, and of the index what they leave open."""
    defaults = index.manifest.defaults
    return settings.valuation.method(defaults.candidates, defaults.temperature, len(index.groups) > 0)


def assemble_attributor(
    index: Index, settings: Settings, ownership: Ownership, clock: StageClock, metrics: Metrics
) -> Attributor:
    """Put the method together over an index, every stage timed by the clock."""
    threads = settings.worker.threads
    encoder, recall = _by_threads(index, threads)
    measured: Recall = MeasuredRecall(recall, clock)
    if ownership.is_left_out:
        measured = RecallOfOthers(measured, left_out_rows(ownership, index.images))
    method = method_of(settings, index)
    exact = ExactReranker(index.tokens, threads, index.token_scale)
    reranker: Reranker = MeasuredReranker(exact, clock, metrics)
    judge = judge_of(method, index)
    groups = None if method.copies == "off" else index.groups
    if groups is not None:
        ranked = max(method.contributors, RANK if judge else 0)
        measured = RecallPastCopies(measured, groups.group_of, ranked)
        reranker = OnePlacePerGroup(reranker, groups.group_of)
    return Attributor(
        images=MeasuredImages(ImageReader(settings.images), clock),
        encoder=MeasuredEncoder(encoder, clock),
        recall=measured,
        reranker=RecallDepth(reranker, metrics),
        table=index.images,
        settings=method,
        ownership=ownership,
        mirror=index.mirror,
        reducer=index.encoder if isinstance(index.encoder, ReducedFeatures) else None,
        groups=groups,
        digests_features=index.manifest.encoder.network is not None,
        judge=judge,
    )


def _by_threads(index: Index, threads: int) -> tuple[Encoder, Recall]:
    if threads == 1:
        return index.encoder, index.recall
    side_by_side = SideBySide(ThreadPoolExecutor(threads, thread_name_prefix="encode-recall"), threads)
    return EncoderSideBySide(index.encoder, side_by_side), RecallSideBySide(index.recall, side_by_side)


def assemble_valuer(index: Index, settings: Settings, clock: StageClock, metrics: Metrics) -> StampedValuer:
    """Put the method together with what receipts say of it; the owners file is read now.

    Raises:
        OwnersRefused: the owners file cannot be read, a line is wrong, or names are unknown to the index.
    """
    ownership = read_ownership(settings.owners, index.images)
    digest = settings_digest(method_of(settings, index), ownership)
    stamp = Stamp(index.index_id, digest, settings.worker.receipt_metadata_bytes_max)
    return StampedValuer(assemble_attributor(index, settings, ownership, clock, metrics), stamp)


def assemble_parts(
    valuers: Valuers,
    ledger: Ledger,
    outbox: Outbox,
    observer: Observer,
    clock: StageClock,
    metrics: Metrics,
    settings: Settings,
) -> Parts:
    """Put the core's parts together, every stage timed by the clock."""
    worker = settings.worker
    return Parts(
        decoder=MeasuredDecoder(EventDecoder(), clock),
        valuers=valuers,
        ledger=MeasuredLedger(ledger, clock, metrics),
        outbox=MeasuredOutbox(outbox, clock),
        observer=observer,
        limits=lambda: DeadLetterLimits(worker.dead_letters_in_a_row_max, worker.dead_letters_ratio_max),
        crashes_per_record_max=worker.crashes_per_record_max,
    )
