"""Remixes of a corpus's images with their sources and mixing weights, and whom gmv attributes them to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.open import open_corpus
from gmv.corpus.port import image_files
from gmv.demo.folder import corpus_digest
from gmv.demo.remix import Pixels, Recipe, mixing_weights, recipes_with, remixes
from gmv.errors import ExperimentRefused
from gmv.experiments.attributing import Nearest, attribute, attribution_stamp, index_over, nearest_of, rows_of
from gmv.experiments.folder import Folder
from gmv.experiments.images import Rows
from gmv.experiments.stored import load, store
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from gmv.indexing.progress import Progress
from gmv.settings import Settings
from gmv.whole_file import make_folder


@dataclass(frozen=True, slots=True)
class Kind:
    """How images are made: from so many sources of different owners, under noise in steps of 256."""

    sources: int
    noise: float


@dataclass(frozen=True, slots=True)
class Mixes:
    """Images of one kind and seed, attributed.

    Attributes:
        sources: int64 [events, n], rows of the training images that each was made of.
        weights: float64 [events, n], the part of the canvas or of its light that each has; they sum to 1.
        nearest: the contributors.
    """

    sources: Rows
    weights: NDArray[np.float64]
    nearest: Nearest


class Mixer:
    """Makes remixes of a corpus and attributes them, once: what an earlier run has attributed is used."""

    def __init__(self, corpus: Path, folder: Folder, settings: Settings, contributors: int, progress: Progress) -> None:
        """Index the corpus, or open the index that is there.

        Args:
            corpus: Parquet, as `gmv index build` takes it.
            folder: to keep index and attributions in.
            settings: of images and of attribution.
            contributors: K.
            progress: shows long steps.

        Raises:
            CorpusRefused: it cannot be read.
            ExperimentRefused: it is not there, or the folder holds an index of another.
        """
        if not corpus.exists():
            raise ExperimentRefused(f"{corpus} is not there; give a Parquet file, or demo, with --dataset")
        digest = corpus_digest(corpus)
        make_folder(folder.root)
        self.index: Index = index_over(corpus, digest, folder, settings, progress)
        self._corpus, self._folder, self._progress = corpus, folder, progress
        candidates = settings.valuation.candidates or self.index.manifest.defaults.candidates
        valuation = settings.valuation.model_copy(update={"contributors": contributors, "candidates": candidates})
        self._settings = settings.model_copy(update={"valuation": valuation})
        self.candidates = candidates
        self._rows = rows_of(self.index)

    @cached_property
    def owners(self) -> NDArray[np.str_]:
        """Of each row."""
        return np.array([image.owner_id for image in self.index.images.images(range(len(self.index.images)))])

    @cached_property
    def owned(self) -> Counter[str]:
        """How many images each owner has."""
        return Counter(self.owners.tolist())

    def mixes(self, kinds: Sequence[Kind], count: int, seed: int) -> dict[Kind, Mixes]:
        """Return `count` remixes of each kind, with their contributors.

        Raises:
            CorpusRefused: the corpus has fewer owners than a kind has sources.
        """
        owner_by_image = dict(zip(self._rows, self.owners.tolist(), strict=True))
        made_of = {
            kind: recipes_with(owner_by_image, kind.sources, count, seed, kind.noise) for kind in dict.fromkeys(kinds)
        }
        pictures = self._pictures(
            {each for recipes in made_of.values() for recipe in recipes for each in recipe.sources}
        )
        return {kind: self._attributed(kind, of, pictures, seed) for kind, of in made_of.items()}

    def _pictures(self, wanted: set[str]) -> dict[str, Pixels]:
        images = self._settings.images
        limits = ImageLimits(images.bytes_max, images.pixels_max)
        files = image_files(open_corpus([self._corpus], images.bytes_max))
        return {each.image_id: decode_image(each.content, limits) for each in files if each.image_id in wanted}

    def _attributed(self, kind: Kind, recipes: Sequence[Recipe], pictures: Mapping[str, Pixels], seed: int) -> Mixes:
        sources = np.array([[self._rows[each] for each in recipe.sources] for recipe in recipes], np.int64)
        weights = np.stack([mixing_weights(recipe, pictures[recipe.sources[0]]) for recipe in recipes])
        path = self._folder.root / f"mixes-{kind.sources}-{kind.noise:g}-{seed}.safetensors"
        stamp = attribution_stamp(self.index, self._settings, None)
        stamp |= {"sources": kind.sources, "noise": kind.noise, "seed": seed, "events": len(recipes)}
        if (stored := load(path, stamp)) is not None:
            return Mixes(sources, weights, nearest_of(stored))
        description = f"attributing remixes of {kind.sources}, noise {kind.noise:g}, seed {seed}"
        with self._progress(description, len(recipes), "images") as advance:
            found = attribute(self.index, list(remixes(recipes, pictures)), self._settings, None, advance)
        store(path, found.tensors(), stamp)
        return Mixes(sources, weights, found)
