"""The remix generator: images cut and painted over from known training images. A test generator, not a model.

Each image is a patchwork of two to four training images of as many owners. Every source is mirrored or not,
cropped, recoloured and placed under its part of a layout; noise goes over the whole. Since the sources are known,
it can be counted how often gmv credits them, which no picture of a real generative model allows. What it cannot
tell is how well gmv explains such a model: a remix copies pixels, a model need not.

An altered copy is of one training image, altered in the same way, and mirrored in half of the cases.

Image number i of a seed is the same however many are made: its random numbers depend on (seed, i) alone, and, where
all are asked to have as many sources, on that number.
"""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gmv.demo.layouts import LAYOUTS, WHOLE, Masks, layout_masks
from gmv.errors import CorpusRefused

SOURCES_MIN, SOURCES_MAX = 2, 4
_MIRRORED_SHARE, _COPIES_MIRRORED_SHARE = 0.3, 0.5
NOISE = 4.0  # of 256 steps: it is seen on plain areas and hides no object
CANVAS_PIXELS_MAX = 256  # longest side; a demo's events stay small with any corpus

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one remix will be made of, settled before any training image is read.

    Attributes:
        number: of the remix, or of the altered copy, within its seed.
        sources: image ids, two to four, all of different owners; one of an altered copy.
        layout: one of `LAYOUTS`; of an altered copy `WHOLE`.
        seed: the seed of the whole series.
        noise: standard deviation of what goes over the whole, in steps of 256.
    """

    number: int
    sources: tuple[str, ...]
    layout: str
    seed: int
    noise: float = NOISE

    @property
    def is_copy(self) -> bool:
        """Whether it is of one training image alone."""
        return self.layout == WHOLE.name


def recipes(owner_by_image: Mapping[str, str], count: int, seed: int) -> list[Recipe]:
    """Return the first `count` recipes of a seed.

    Raises:
        CorpusRefused: the corpus has a single owner, so no two sources can differ in owner.
    """
    image_ids = sorted(owner_by_image)
    owners = len(set(owner_by_image.values()))
    if owners < SOURCES_MIN:
        raise CorpusRefused(f"The demo mixes images of different owners; the corpus has {owners}: add a second.")
    return [_recipe(image_ids, owner_by_image, min(owners, SOURCES_MAX), number, seed) for number in range(count)]


def recipes_with(
    owner_by_image: Mapping[str, str], sources: int, count: int, seed: int, noise: float = NOISE
) -> list[Recipe]:
    """Return the first `count` recipes of a seed that all have as many sources, of different owners.

    Args:
        owner_by_image: of all training images.
        sources: of each; with one, they are altered copies.
        count: of recipes.
        seed: of the series.
        noise: over each; it is the same noise, but for its strength.

    Raises:
        CorpusRefused: the corpus has fewer owners than that, or no layout has room for so many sources.
    """
    owners = len(set(owner_by_image.values()))
    layouts = [layout for layout in LAYOUTS if layout.sources_max >= sources]
    if sources > owners or not layouts:
        most = min(owners, max(layout.sources_max for layout in LAYOUTS))
        raise CorpusRefused(f"remixes of {sources} images of different owners cannot be made; ask for 1 to {most}")
    if sources == 1:
        return [replace(each, noise=noise) for each in copies(owner_by_image, count, seed)]
    image_ids, made = sorted(owner_by_image), []
    for number in range(count):
        random = np.random.default_rng((seed, number, 3, sources))
        layout = layouts[int(random.integers(len(layouts)))]
        drawn = _of_different_owners(image_ids, owner_by_image, sources, random)
        made.append(Recipe(number, drawn, layout.name, seed, noise))
    return made


def copies(image_ids: Collection[str], count: int, seed: int) -> list[Recipe]:
    """Return the first `count` recipes of altered copies of a seed."""
    ordered = sorted(image_ids)
    places = (int(np.random.default_rng((seed, number, 2)).integers(len(ordered))) for number in range(count))
    return [Recipe(number, (ordered[place],), WHOLE.name, seed) for number, place in enumerate(places)]


def _recipe(
    image_ids: Sequence[str], owner_by_image: Mapping[str, str], sources_max: int, number: int, seed: int
) -> Recipe:
    random = np.random.default_rng((seed, number, 0))
    layout = LAYOUTS[int(random.integers(len(LAYOUTS)))]
    wanted = min(int(random.integers(SOURCES_MIN, SOURCES_MAX + 1)), layout.sources_max, sources_max)
    return Recipe(number, _of_different_owners(image_ids, owner_by_image, wanted, random), layout.name, seed)


def _of_different_owners(
    image_ids: Sequence[str], owner_by_image: Mapping[str, str], wanted: int, random: np.random.Generator
) -> tuple[str, ...]:
    by_owner: dict[str, str] = {}
    while len(by_owner) < wanted:
        image_id = image_ids[int(random.integers(len(image_ids)))]
        by_owner.setdefault(owner_by_image[image_id], image_id)
    return tuple(by_owner.values())


def remixes(made_of: Sequence[Recipe], pictures: Mapping[str, Pixels]) -> Iterator[Pixels]:
    """Yield the remix of each recipe, uint8 [height, width, 3], as large as its first source (up to 256 pixels).

    Args:
        made_of: what to make.
        pictures: uint8 [height, width, 3] of every source, by image id.
    """
    for recipe in made_of:
        yield _remix(recipe, [pictures[image_id] for image_id in recipe.sources])


def mixing_weights(recipe: Recipe, first: Pixels) -> NDArray[np.float64]:
    """Return which part of the canvas, or of its light, each source of a remix has: float64 [sources], sums to 1.

    Args:
        recipe: of the remix.
        first: its first source, which decides the canvas.
    """
    weights: NDArray[np.float64] = _masks(recipe, *_canvas(first), _random(recipe)).mean(axis=(1, 2))
    return weights


def png(pixels: Pixels) -> bytes:
    """Return the PNG file of uint8 [height, width, 3]."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def _remix(recipe: Recipe, sources: Sequence[Pixels]) -> Pixels:
    random = _random(recipe)
    height, width = _canvas(sources[0])
    masks = _masks(recipe, height, width, random)
    mirrored_share = _COPIES_MIRRORED_SHARE if recipe.is_copy else _MIRRORED_SHARE
    parts = np.stack([_altered(source, height, width, random, mirrored_share) for source in sources])
    mixed = np.einsum("khw,khwc->hwc", masks, parts)
    noisy = mixed + random.normal(0.0, recipe.noise, mixed.shape)
    pixels: Pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return pixels


def _random(recipe: Recipe) -> np.random.Generator:
    """Return the random numbers of a remix, of which the masks take the first."""
    return np.random.default_rng((recipe.seed, recipe.number, 1))


def _masks(recipe: Recipe, height: int, width: int, random: np.random.Generator) -> Masks:
    return layout_masks(recipe.layout, len(recipe.sources), height, width, random)


def _canvas(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    shrink = min(1.0, CANVAS_PIXELS_MAX / max(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def _altered(
    pixels: Pixels, height: int, width: int, random: np.random.Generator, mirrored_share: float
) -> NDArray[np.float64]:
    """Return the source mirrored or not, cropped to 85-100 % of each side and recoloured, at the canvas's size."""
    image = Image.fromarray(pixels)
    if random.random() < mirrored_share:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    kept = random.uniform(0.85, 1.0)
    left = random.uniform(0.0, 1.0 - kept) * image.width
    top = random.uniform(0.0, 1.0 - kept) * image.height
    box = (left, top, left + kept * image.width, top + kept * image.height)
    cropped = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box=box), dtype=np.float64)
    contrast = random.uniform(0.85, 1.15)
    tint = random.uniform(0.9, 1.1, size=3)
    brightness = random.uniform(-12.0, 12.0)
    return ((cropped - 128.0) * contrast + 128.0) * tint + brightness
