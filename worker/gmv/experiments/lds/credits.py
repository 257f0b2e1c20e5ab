"""What gmv says of training images, as scores: shares of credit as they are paid, and the distances behind them."""

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import Numbers
from gmv.experiments.attributing import Nearest
from gmv.experiments.images import Rows
from gmv.experiments.lds.similarity import cosines
from gmv.experiments.values import shares_of
from gmv.index.opened import Index


def shares(nearest: Nearest, among: Rows, contributors: int, temperature: float) -> NDArray[np.float64]:
    """Return each image's share of the credit of each event, float64 [events, among].

    Args:
        nearest: at least the K nearest of these images, nearest first.
        among: the training images, in rows of the index, ascending.
        contributors: K.
        temperature: tau.
    """
    nearest = nearest.first(contributors)
    credited = np.zeros((len(nearest.rows), len(among)))
    for scores, rows, earned in zip(credited, nearest.rows, shares_of(nearest, temperature), strict=True):
        found = rows >= 0
        scores[np.searchsorted(among, rows[found])] = earned[found]
    return credited


def nearness(nearest: Nearest, among: Rows) -> NDArray[np.float64]:
    """Return distances W1, negated, float64 [events, among]; images beyond the nearest are as far as the last of them.

    Args:
        nearest: as many of these images as may be asked for.
        among: the training images, in rows of the index, ascending.
    """
    scores = np.empty((len(nearest.rows), len(among)))
    for places, rows, distances in zip(scores, nearest.rows, nearest.distances, strict=True):
        found = rows >= 0
        places[:] = -distances[found].max()
        places[np.searchsorted(among, rows[found])] = -distances[found]
    return scores


def recall_order(index: Index, generated: NDArray[np.uint8], among: Rows) -> NDArray[np.float64]:
    """Return the places of images in the order of recall, negated, float64 [events, among]; those not recalled last.

    Args:
        index: over all training images.
        generated: uint8 [events, height, width, 1 or 3].
        among: the training images that count, in rows of the index, ascending.
    """
    recalled = index.recall.recall(_vectors(index, generated), len(index.images))
    scores = np.full((len(generated), len(among)), -float(len(among)))
    for places, rows in zip(scores, recalled, strict=True):
        counted = rows[np.isin(rows, among)]
        places[np.searchsorted(among, counted)] = -np.arange(len(counted))
    return scores


def vector_cosines(index: Index, generated: NDArray[np.uint8], training: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return cosines of the encoder's vectors, float64 [generated, training]: what is done with CLIP's elsewhere."""
    return cosines(*(_vectors(index, each).astype(np.float64) for each in (generated, training)))


def _vectors(index: Index, pixels: NDArray[np.uint8]) -> Numbers:
    images = [np.ascontiguousarray(np.broadcast_to(each, (*each.shape[:2], 3))) for each in pixels]
    return index.encoder.encode(images).vectors
