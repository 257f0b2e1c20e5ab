"""How the sources of a remix share its canvas: one soft mask per source, adding up to 1 at every pixel."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.float64]
"""float64 [sources, height, width]; sums to 1 over the sources."""

_SEAM = 0.03  # width of a soft seam as a part of the canvas: one pixel of 32


@dataclass(frozen=True, slots=True)
class Layout:
    """A way of sharing the canvas among up to `sources_max` sources."""

    name: str
    sources_max: int
    nearness: Callable[[int, NDArray[np.float64], NDArray[np.float64], np.random.Generator], Masks]


def layout_masks(name: str, sources: int, height: int, width: int, random: np.random.Generator) -> Masks:
    """Return the masks of the named layout.

    Raises:
        KeyError: there is no such layout.
    """
    down, across = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    nearness = _BY_NAME[name].nearness(sources, down, across, random)
    soft = np.exp((nearness - nearness.max(axis=0)) / _SEAM)
    masks: Masks = soft / soft.sum(axis=0)
    return masks


def _bands(sources: int, down: NDArray[np.float64], across: NDArray[np.float64], random: np.random.Generator) -> Masks:
    """Parallel bands of about equal width, upright or lying, up to 20 degrees off."""
    angle = random.uniform(-0.35, 0.35) + (np.pi / 2 if random.random() < 0.5 else 0.0)
    along = (across - 0.5) * np.cos(angle) + (down - 0.5) * np.sin(angle) + 0.5
    middles = (np.arange(sources) + 0.5) / sources + random.uniform(-0.05, 0.05, size=sources)
    distance: Masks = np.abs(along - middles[:, None, None])
    return -distance


def _facets(sources: int, down: NDArray[np.float64], across: NDArray[np.float64], random: np.random.Generator) -> Masks:
    """Wedges around the middle: each source owns what is nearest to its place on a turned circle."""
    turn = random.uniform(0.0, 2 * np.pi)
    places = turn + 2 * np.pi * np.arange(sources) / sources
    to_right = across - 0.5 - 0.3 * np.cos(places)[:, None, None]
    downwards = down - 0.5 - 0.3 * np.sin(places)[:, None, None]
    return -np.hypot(to_right, downwards)


def _window(sources: int, down: NDArray[np.float64], across: NDArray[np.float64], random: np.random.Generator) -> Masks:
    """The first source all over, the second in a square window of about a third of the canvas."""
    half_side = random.uniform(0.27, 0.32)
    middle_down, middle_across = random.uniform(half_side, 1.0 - half_side, size=2)
    outside = np.maximum(np.abs(down - middle_down), np.abs(across - middle_across)) - half_side
    return np.stack([outside, -outside])


def _exposure(
    sources: int, down: NDArray[np.float64], across: NDArray[np.float64], random: np.random.Generator
) -> Masks:
    """A double exposure: the first source shines through the second with 55 to 65 % of the light."""
    light = random.uniform(0.55, 0.65)
    # `layout_masks` takes a softmax of these over the seam's width, so this gives back `light` everywhere.
    return np.stack([np.full_like(down, _SEAM * np.log(light / (1.0 - light))), np.zeros_like(down)])


def _whole(sources: int, down: NDArray[np.float64], across: NDArray[np.float64], random: np.random.Generator) -> Masks:
    """One source all over."""
    return np.zeros((sources, *down.shape))


LAYOUTS = (
    Layout("bands", 3, _bands),
    Layout("facets", 5, _facets),
    Layout("window", 2, _window),
    Layout("exposure", 2, _exposure),
)
WHOLE = Layout("whole", 1, _whole)
"""Of an altered copy; no remix has it."""

_BY_NAME = {layout.name: layout for layout in (*LAYOUTS, WHOLE)}
