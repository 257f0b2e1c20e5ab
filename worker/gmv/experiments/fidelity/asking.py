"""An index with images of noise in it, and real images asked about that it does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.attributing import Nearest, attribute, index_of
from gmv.experiments.fidelity.quantising import product_quantised, unquantised
from gmv.experiments.fidelity.spoiling import spoiled
from gmv.experiments.folder import Folder
from gmv.experiments.images import LabelledImages
from gmv.experiments.splits import split
from gmv.index.opened import Index
from gmv.indexing.progress import Progress
from gmv.settings import Settings
from gmv.whole_file import make_folder

CONTRIBUTORS: Final = (5, 10, 30, 50)
CREDITED: Final = 10
"""K of a worker, unless it is told otherwise."""

CANDIDATES: Final = (10, 20, 50, 100, 200)
NOISE_SHARE: Final = 0.1


class Answers(NamedTuple):
    """The ten nearest by recall alone, and by W1 among the index's own M."""

    recalled: Nearest
    ranked: Nearest


@dataclass(frozen=True, slots=True)
class World:
    """An index, and questions to it.

    Attributes:
        indexed: images of the index; those of noise have the class -1.
        queries: images that are in no index, with their classes.
        temperature: the index's own tau.
        candidates: the index's own M.
        recalled: the nearest by recall alone, by K.
        by_candidates: the ten nearest by W1, by M.
        ranked, exact: the 50 nearest by W1, among the index's own M and among all.
        found: all training images among the index's own M candidates, in order of W1.
        quantised: the ten nearest by what is recalled by: "none" where vectors are not quantised, "codes" of the index
            itself, "pq" by product quantisation.
        spoiled: the ten nearest of the queries under noise.
        qualities: float64 [queries], of these.
    """

    indexed: LabelledImages
    queries: LabelledImages
    temperature: float
    candidates: int
    recalled: dict[int, Nearest]
    by_candidates: dict[int, Nearest]
    ranked: Nearest
    exact: Nearest
    found: Nearest
    quantised: dict[str, Answers]
    spoiled: Nearest
    qualities: NDArray[np.float64]


def ask_world(
    images: LabelledImages, folder: Folder, settings: Settings, seed: int, count: int, progress: Progress
) -> World:
    """Build the index of a seed's split, or open it, and ask it about images of the part that is left out.

    Args:
        images: the data set, checked.
        folder: to keep indexes in.
        settings: of attribution.
        seed: of the split and of noise.
        count: of questions; fewer where the part is smaller.
        progress: shows long steps.
    """
    parts, random = split(images, seed), np.random.default_rng([seed, 3])
    queries = images.take(np.sort(random.permutation(parts.control)[:count]))
    indexed = with_noise(images.take(np.union1d(parts.used, parts.unused)), random)
    place = Folder(folder.root / f"fidelity-{seed}")
    make_folder(place.root)
    index = index_of(indexed, place, settings, progress)
    all_pairs = 2 * len(indexed)
    own = settings.valuation.candidates or index.manifest.defaults.candidates

    def ask(
        contributors: int, candidates: int, of: Index = index, pixels: Sequence[NDArray[np.uint8]] | None = None
    ) -> Nearest:
        valuation = settings.valuation.model_copy(update={"contributors": contributors, "candidates": candidates})
        chosen = settings.model_copy(update={"valuation": valuation})
        with progress(f"asking with M = {candidates}, seed {seed}", len(queries), "images") as advance:
            return attribute(of, queries.pixels if pixels is None else pixels, chosen, None, advance)

    most = max(CONTRIBUTORS)
    noisy, qualities = spoiled(queries.pixels, random)
    by_way = {"none": unquantised(index), "codes": index, "pq": product_quantised(index)}
    return World(
        indexed,
        queries,
        index.manifest.defaults.temperature,
        own,
        {each: ask(each, each) for each in CONTRIBUTORS},
        {each: ask(CREDITED, min(each, all_pairs)) for each in CANDIDATES},
        ask(most, own),
        ask(most, all_pairs),
        ask(own, own),
        {way: Answers(ask(CREDITED, CREDITED, of), ask(CREDITED, own, of)) for way, of in by_way.items()},
        ask(CREDITED, own, pixels=list(noisy)),
        qualities,
    )


def with_noise(images: LabelledImages, random: np.random.Generator) -> LabelledImages:
    """Return images with `NOISE_SHARE` as many of uniform noise after them, whose class is -1."""
    count = max(1, round(NOISE_SHARE * len(images)))
    noise = random.integers(0, 256, (count, *images.pixels.shape[1:]), dtype=np.uint8)
    labels = np.concatenate([images.labels, np.full(count, -1)])
    return LabelledImages(images.name, np.concatenate([images.pixels, noise]), labels, images.classes)
