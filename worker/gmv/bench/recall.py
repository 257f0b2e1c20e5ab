"""Recall over given images: of the true nearest by W1, how many are recalled, by M; what is on them; and the time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import Features
from gmv.errors import EventsRefused, IndexRefused, Poison
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.manifest import CalibratedCandidates
from gmv.index.opened import Index
from gmv.index.port import LooksRecalled
from gmv.indexing.calibration import (
    NEAREST,
    Answers,
    Query,
    calibrate,
    keys_of,
    queries_of,
    recalled_at,
    rows_of,
    tried_up_to,
    true_nearest,
)
from gmv.valuation.ranking import MirroredLook
from gmv.valuation.wasserstein.rerank import ExactReranker

KIND: Final = "given images"


@dataclass(frozen=True, slots=True)
class GivenImage:
    """An image to measure by: its file, and what is on it, if that is known."""

    name: str
    content: bytes
    label: str | None = None


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Share of the ten nearest that have their query's label (C1 of GMValuator).

    Attributes:
        queries: that have a label.
        recalled: of the first ten recalled, by the look as it is.
        re_ranked: of the ten nearest by W1 of M recalled.
        of_all: of the ten nearest of all training images.
    """

    queries: int
    recalled: float
    re_ranked: float
    of_all: float


@dataclass(frozen=True, slots=True)
class RecallBench:
    """What `bench_recall` returns.

    Attributes:
        index_id: of the index.
        training_images: in it.
        queries: that were measured by.
        refused: images that cannot be decoded, by name.
        candidates: M of the settings.
        recall: of the true nearest, by M.
        labels: None where no labels are known.
        milliseconds: per query and stage, one query at a time, in one thread.
    """

    index_id: str
    training_images: int
    queries: int
    refused: Mapping[str, str]
    candidates: int
    recall: CalibratedCandidates
    labels: LabelAgreement | None
    milliseconds: Mapping[str, float]


def bench_recall(
    index: Index,
    images: Sequence[GivenImage],
    limits: ImageLimits,
    training_labels: Mapping[str, str],
    candidates: int,
    candidates_max: int,
    target: float,
    advance: Callable[[int], None],
) -> RecallBench:
    """Measure by the images given; each is ranked against all training images.

    Args:
        index: to be measured.
        images: at least one that can be decoded.
        limits: of images.
        training_labels: by image id; empty where none are known.
        candidates: M of the settings.
        candidates_max: the most candidates to look at.
        target: share of the true nearest that is wanted.
        advance: called with 1 for each image.

    Raises:
        EventsRefused: none of the images can be decoded.
        IndexRefused: the index has no encoder for images.
    """
    decoded, refused = _decoded(images, limits)
    reranker, clock = ExactReranker(index.tokens, scale=index.token_scale), _Clock()
    queries, true, recalled, re_ranked = [], [], [], []
    for pixels in decoded.values():
        with clock.of("encode"):
            features = _encode(index, pixels)
        (query,) = queries_of(features, index.mirror)
        with clock.of("recall"):
            (looks,) = index.recall.recall_looks(features.vectors, candidates)
        with clock.of("re-rank"):
            re_ranked.append(_nearest(reranker, query, looks))
        with clock.of("rank all"):
            true += true_nearest(reranker, [query], len(index.images))
        recalled.append(keys_of(index.recall.recall(features.vectors, NEAREST)[0]))
        queries.append(query)
        advance(1)
    tried = recalled_at(index.recall, queries, tried_up_to(candidates_max, len(index.images)))
    measured = calibrate([Answers(KIND, true, tried)], target, candidates_max)
    labels = _agreement(index, [images[place].label for place in decoded], training_labels, recalled, re_ranked, true)
    return RecallBench(
        index_id=index.index_id,
        training_images=len(index.images),
        queries=len(decoded),
        refused=refused,
        candidates=candidates,
        recall=measured,
        labels=labels,
        milliseconds={stage: 1e3 * seconds / len(decoded) for stage, seconds in clock.seconds.items()},
    )


def _decoded(images: Sequence[GivenImage], limits: ImageLimits) -> tuple[dict[int, NDArray[np.uint8]], dict[str, str]]:
    """Return pixels by place, and why others have none by name."""
    decoded: dict[int, NDArray[np.uint8]] = {}
    refused: dict[str, str] = {}
    for place, image in enumerate(images):
        try:
            decoded[place] = decode_image(image.content, limits)
        except Poison as poison:
            refused[image.name] = poison.detail
    if not decoded:
        first = "; ".join(f"{name}: {why}" for name, why in list(refused.items())[:1])
        raise EventsRefused(f"none of {len(images):,} images can be decoded ({first}); give others")
    return decoded, refused


def _encode(index: Index, pixels: NDArray[np.uint8]) -> Features:
    try:
        return index.encoder.encode([pixels])
    except Poison as poison:
        raise IndexRefused(f"{index.path}: {poison.detail}; measure an index that was built from images") from poison


def _nearest(reranker: ExactReranker, query: Query, looks: LooksRecalled) -> NDArray[np.int64]:
    """Return the keys of the ten nearest of those recalled; none of none, which lists may recall."""
    if not len(looks.rows) + len(looks.mirrored_rows):
        return np.empty(0, np.int64)
    mirrored = None if query.mirrored_tokens is None else MirroredLook(query.mirrored_tokens, looks.mirrored_rows)
    (ranking,) = reranker.nearest([query.tokens], [looks.rows], NEAREST, [mirrored])
    return keys_of(ranking.rows, ranking.mirrored)


def _agreement(
    index: Index,
    wanted: Sequence[str | None],
    training_labels: Mapping[str, str],
    *found: Sequence[NDArray[np.int64]],
) -> LabelAgreement | None:
    """Return how often the first ten found have the label wanted; None where no query's is known."""
    labelled = [place for place, label in enumerate(wanted) if label is not None]
    if not labelled or not training_labels:
        return None
    shares = [
        float(np.mean([_share(index, each[place][:NEAREST], wanted[place], training_labels) for place in labelled]))
        for each in found
    ]
    return LabelAgreement(len(labelled), *shares)


def _share(index: Index, keys: NDArray[np.int64], label: str | None, training_labels: Mapping[str, str]) -> float:
    images = index.images.images(rows_of(keys))
    return sum(training_labels.get(image.image_id) == label for image in images) / max(1, len(images))


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started
