"""From an index's folder to what a worker credits by: opened, verified, put together and tried with one event."""

from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry

from gmv.assembly.index_in_use import AcceptedFeatures, Prepared
from gmv.assembly.owners import read_ownership
from gmv.assembly.parts import assemble_attributor, assemble_valuer
from gmv.encoders.precomputed import Precomputed
from gmv.encoders.reduced import ReducedFeatures
from gmv.errors import IndexRefused, Poison
from gmv.events.model import EventFeatures, GeneratedImage
from gmv.index.advice import undated_copies
from gmv.index.opened import Index, open_index
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.telemetry import StageClock
from gmv.settings import Settings

_SIDE = 64


def prepare_published(path: Path, settings: Settings, clock: StageClock, metrics: Metrics) -> Prepared:
    """Open the index that is at a path now, beside the one in use.

    Raises:
        IndexRefused: it is missing, damaged, of another format, or attributes no event.
        OwnersRefused: the owners file cannot be read, a line is wrong, or names are unknown to this index.
    """
    index = open_index(path, verify=True)
    _try(index, settings)
    return prepared(index, settings, clock, metrics)


def prepared(index: Index, settings: Settings, clock: StageClock, metrics: Metrics) -> Prepared:
    """Put an index together with what is said of it.

    Raises:
        OwnersRefused: as above.
    """
    valuer = assemble_valuer(index, settings, clock, metrics)
    names = {"index_id": index.index_id, "encoder_id": index.encoder.encoder_id}
    measured = index.manifest.recall.measured

    def show() -> None:
        metrics.index.info(names)
        metrics.settings.info({"digest": valuer.stamp.settings_digest})
        metrics.index_recall_ratio.clear()
        if measured is not None:
            for nearest, ratio in ((1, measured.nearest_1), (10, measured.nearest_10), (100, measured.nearest_100)):
                metrics.index_recall_ratio.labels(str(nearest)).set(ratio)

    undated = undated_copies(index.groups.undated) if settings.valuation.copies == "earliest" else None
    return Prepared(valuer, _accepted(index), show, undated)


def _accepted(index: Index) -> AcceptedFeatures | None:
    if not isinstance(index.encoder, Precomputed):
        return None
    _, token_size = _brought_shape(index.encoder)
    return AcceptedFeatures(index.encoder.encoder_id, index.encoder.vector_size, token_size)


def _brought_shape(encoder: Precomputed) -> tuple[int, int]:
    return encoder.brought_shape if isinstance(encoder, ReducedFeatures) else encoder.tokens_shape


def _try(index: Index, settings: Settings) -> None:
    """Attribute an event that nobody sent, and count it nowhere: what is compiled or read at first is so now."""
    ownership = read_ownership(settings.owners, index.images)
    attributor = assemble_attributor(index, settings, ownership, StageClock(), Metrics(CollectorRegistry()))
    (outcome,) = attributor.attribute([GeneratedImage("gmv", "trial", _features(index))])
    if isinstance(outcome, Poison):
        raise IndexRefused(f"{index.path} attributes no event: {outcome.detail}; build the index again")


def _features(index: Index) -> EventFeatures:
    encoder = index.encoder
    if isinstance(encoder, Precomputed):
        vector = np.zeros(encoder.vector_size, np.float32)
        vector[0] = 1.0
        return EventFeatures(encoder.encoder_id, vector, np.ones(_brought_shape(encoder), np.float32))
    ramp = np.arange(_SIDE * _SIDE * 3, dtype=np.uint32).reshape(_SIDE, _SIDE, 3)
    seen = encoder.encode([(ramp * 7 % 251).astype(np.uint8)])
    return EventFeatures(encoder.encoder_id, seen.vectors[0].astype(np.float32), seen.tokens[0].astype(np.float32))
