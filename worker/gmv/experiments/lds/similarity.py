"""Scores that see pixels alone, or nothing: what any other method has to be better than."""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""float64 [generated, training]; higher where the training image is said to count for more."""


def pixel_cosines(generated: NDArray[np.uint8], training: NDArray[np.uint8]) -> Scores:
    """Return cosines of pixels in [-1, 1], as D-TRAK's benchmark has them (raw pixels).

    Args:
        generated: uint8 [generated, side, side, channels].
        training: uint8 [training, side, side, channels].
    """
    return cosines(_flat(generated), _flat(training))


def cosines(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine of each row of one with each of other; 0 where either is 0."""
    lengths = [np.maximum(np.linalg.norm(each, axis=1), 1e-12) for each in (one, other)]
    return np.asarray(one @ other.T / np.outer(*lengths))


def pixel_nearness(generated: NDArray[np.uint8], training: NDArray[np.uint8]) -> Scores:
    """Return the Euclidean distances of pixels, negated; see `pixel_cosines`."""
    one, other = _flat(generated), _flat(training)
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return np.asarray(-np.sqrt(np.maximum(squares, 0)))


def first_alone(scores: Scores, count: int) -> Scores:
    """Return 1 for the `count` highest scores of each generated image, and 0 for all others; ties by order of rows."""
    hits = np.zeros(scores.shape)
    np.put_along_axis(hits, np.argsort(-scores, axis=1, kind="stable")[:, :count], 1, axis=1)
    return hits


def random_scores(generated: int, training: int, seed: int) -> Scores:
    """Return normal numbers."""
    return np.random.default_rng([seed, 99]).normal(size=(generated, training))


def _flat(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(pixels.reshape(len(pixels), -1) / 127.5 - 1)
