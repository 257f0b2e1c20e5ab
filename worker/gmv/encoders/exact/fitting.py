"""Learning the exact descriptor's parameters from a sample of the corpus; the same bits on every processor."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.exact.alterations import recoloured, shifted
from gmv.encoders.exact.descriptor import Stages, as_floats, patches_per_side, patches_share, whiten
from gmv.encoders.exact.kernels import LARGEST, PATCH_SCALE, cut_patches
from gmv.encoders.exact.parameters import GRID, PATCH_NUMBERS, SIDE, Parameters
from gmv.encoders.exact.projections import Moments, instance_discriminants, most_of, principal_components
from gmv.encoders.integer_projection import IntegerProjection
from gmv.encoders.mirror import mirror_of_atoms, mirror_of_patches, mirror_of_signs
from gmv.encoders.working_size import to_working_size
from gmv.linear.k_means import k_means
from gmv.linear.product import multiply

Images = NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)
U = TypeVar("U", bound=np.generic)

PATCHES: Final = 100_000
"""Patches that teach whitening and dictionary: 250 per atom."""

ATOMS: Final = 400
PATCHES_PER_ATOM_MIN: Final = 10
"""Fewer would make atoms out of single patches: a corpus that gives fewer gets a smaller dictionary."""

CELL_SIZE: Final = 64
TOKEN_SIZE: Final = 62

_ITERATIONS = 10
_EIGENVALUE_FLOOR = 0.1 * PATCH_SCALE**2  # of the covariance of patches: a tenth of a normalised patch's variance
_TELLING_IMAGES = 1_500  # that teach the projections of cells and tokens: 96,000 samples
_SCALE_IMAGES = 200  # that tell how large numbers get
_ROOTS_MAX = 2 * LARGEST  # they are 0 at least, and within LARGEST once their mean is taken off
_EXACT = 2**24  # up to it, float32 holds every integer
_TOKEN_MATRIX_MAX = 2_047
_TOKEN_RIDGE = 0.02  # of the mean variance of a cell's numbers
_TOKEN_POWER = 0.25
_IMAGES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class FittingSettings:
    """What decides the parameters besides the images.

    Attributes:
        images: in the sample, at most.
        working_size: see `Parameters`.
        seed: of the choice of patches, of k-means and of alterations.
    """

    images: int = 4_000
    working_size: int = 32
    seed: int = 0


def fit_exact(images: Iterable[Images], settings: FittingSettings) -> Parameters:
    """Learn the parameters; the same images in the same order give the same parameters everywhere.

    A small corpus gets a smaller descriptor: as many patches per image as it takes, one atom per 10 patches, and
    only as many components as the sample spans.

    Args:
        images: uint8 [height, width, 3] each, at least one.
        settings: how to learn.
    """
    sample = np.stack([to_working_size(image, settings.working_size) for image in images])
    parameters = _with_dictionary(Parameters.blank(settings.working_size), sample, settings.seed)
    telling = sample[:_TELLING_IMAGES]
    parameters = _with_cells(parameters, telling)
    return _with_tokens(parameters, telling, settings.seed)


def _with_dictionary(parameters: Parameters, sample: Images, seed: int) -> Parameters:
    """Learn whitening and atoms of patches."""
    mirror = mirror_of_patches(SIDE, 3)
    patches = _sample_patches(sample, seed)
    moments = Moments.of(patches)
    found = principal_components(moments, mirror, PATCH_NUMBERS)
    # ZCA: what the sample does not span, with an eigenvalue of 0, is scaled by the floor alone.
    floor = 1 / np.sqrt(_EIGENVALUE_FLOOR)
    gains = 1 / np.sqrt(found.values + _EIGENVALUE_FLOOR) - floor
    matrix = floor * np.eye(PATCH_NUMBERS) + multiply(found.matrix * gains, found.matrix.T)
    matrix += matrix[mirror.permutation][:, mirror.permutation].copy()
    whitening = np.rint(matrix * (LARGEST / np.abs(matrix).max())).astype(np.int8)
    offset = -(moments.mean(mirror) @ whitening.astype(np.int64))
    factor = LARGEST / most_of(np.abs(patches @ as_floats(whitening) + offset))
    whitened = np.empty_like(patches)
    whiten(patches, as_floats(whitening), offset, factor, whitened)
    pairs = max(1, min(ATOMS, len(patches) // PATCHES_PER_ATOM_MIN) // 2)
    return replace(
        parameters,
        whitening=whitening,
        whitening_offset=offset,
        whitening_factor=factor,
        atoms=k_means(whitened.astype(np.int8), pairs, _ITERATIONS, seed, mirror.permutation),
    )


def _sample_patches(sample: Images, seed: int) -> NDArray[np.float32]:
    """Take equally many patches of each image, at places drawn without replacement: float32 [n, p] of integers."""
    draw = np.random.default_rng(seed)
    wanted = -(-PATCHES // len(sample))
    every = np.empty((patches_per_side(sample.shape[1], 1) ** 2, PATCH_NUMBERS), np.float32)
    taken = []
    for image in sample:
        cut_patches(image[np.newaxis], SIDE, 1, every)
        taken.append(every[draw.permutation(len(every))[:wanted]])
    return np.concatenate(taken)


def _with_cells(parameters: Parameters, telling: Images) -> Parameters:
    """Learn how roots of activations are scaled, and the projection of cells."""
    atoms = len(parameters.atoms)
    mirror = mirror_of_atoms(atoms)
    stages = Stages(parameters)
    weights = patches_share(patches_per_side(telling.shape[1]), GRID)[:, np.newaxis]
    roots = np.sqrt(_by_parts(stages.activations, telling[:_SCALE_IMAGES]) * weights)
    factor = _ROOTS_MAX / most_of(roots)
    mean = Moments.of(np.rint(roots * factor).reshape(-1, atoms)).mean(mirror)
    blank = IntegerProjection(mean, np.zeros((atoms, 0), np.int16), np.zeros(0, np.int8))
    stages = Stages(replace(parameters, roots_factor=factor, cells=blank))
    moments = reduce(add, (Moments.of(stages.roots(part)) for part in _parts(telling)))
    found = principal_components(moments, mirror, CELL_SIZE)
    projection = found.projection(mean, (_EXACT - 1) // (atoms * LARGEST))
    matrix = as_floats(projection.matrix)
    products = _by_parts(lambda part: stages.roots(part) @ matrix, telling[:_SCALE_IMAGES])
    return replace(parameters, roots_factor=factor, cells=projection, cells_factor=LARGEST / most_of(np.abs(products)))


def _with_tokens(parameters: Parameters, telling: Images, seed: int) -> Parameters:
    """Learn the projection of tokens: of the telling images, twice altered each."""
    mirror = mirror_of_signs(parameters.cells.signs)
    draw = np.random.default_rng(seed)
    stages = Stages(parameters)
    cells = _by_parts(stages.cells, telling)
    once = _by_parts(stages.cells, recoloured(telling, draw))
    twice = _by_parts(stages.cells, shifted(recoloured(telling, draw), draw))
    as_samples = [each.reshape(-1, each.shape[2]).astype(np.int64) for each in (cells, once, twice)]
    pairs = [as_samples[0] - as_samples[1], as_samples[0] - as_samples[2], as_samples[1] - as_samples[2]]
    moments = Moments.of(as_samples[0])
    within = reduce(add, map(Moments.of, pairs))
    found = instance_discriminants(moments, within, _TOKEN_RIDGE, mirror, TOKEN_SIZE).scaled(_TOKEN_POWER)
    return replace(parameters, tokens=found.projection(moments.mean(mirror), _TOKEN_MATRIX_MAX))


def _parts(images: NDArray[T]) -> Iterator[NDArray[T]]:
    for start in range(0, len(images), _IMAGES_AT_ONCE):
        yield images[start : start + _IMAGES_AT_ONCE]


def _by_parts(work: Callable[[NDArray[T]], NDArray[U]], images: NDArray[T]) -> NDArray[U]:
    return np.concatenate([work(part) for part in _parts(images)])
