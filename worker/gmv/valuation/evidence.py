"""Does a generated image resemble a training image at all, or is one of them merely the nearest?

A distance alone does not say: a black picture is near to any other flat one. What does is how much nearer the nearest
is than those that follow, compared with images of the corpus, each left out of its own answer, for which no training
image can be the source. Over 49,000 images, 600 images that were left out of them and 300 altered copies of some, the
ratio of the nearest distance to the fifth tells these apart by an AUC of .905; to the second, tenth and twentieth by
.900, .901 and .899; the nearest distance by .850. The fifth costs nothing, since ten share an event's credit, and
three more training images may resemble the source without hiding it.

The p-value is conformal (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005): if the event were
one more image of the corpus's kind without a source in it, at most a share p of such events would have so small a
p-value. That holds where events are exchangeable with images of the corpus, and is an assumption: nobody checks it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RANK: Final = 5
"""Of the distance that the nearest is divided by."""

DECIMALS: Final = 4
"""Of a ratio: to these all processors agree, and ties count as ties."""

UNATTRIBUTED: Final = "unattributed"
"""The account of events that are evidence for nobody. No owner may have this name."""

LEVEL: Final = 0.05
"""Above which p-value an event is called unreliable where settings name no level."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an event's contributors.

    Attributes:
        p_value: share of images without a source that would be as near to one training image, in (0, 1].
        is_flat: whether there is hardly anything to be seen in the image, or in the one nearest to it, so that
            distances mean nothing.
        is_reliable: whether the p-value is at most the level, and the image is not flat.
    """

    p_value: float
    is_flat: bool
    is_reliable: bool


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """How distances become evidence, and what follows from it.

    Attributes:
        left_out: ratios of images of the corpus, each left out of its own answer, ascending.
        level: p-value up to which an event is reliable.
        is_policy: whether an event that is not is credited to nobody.
    """

    left_out: Sequence[float]
    level: float = LEVEL
    is_policy: bool = False

    def judge(self, distances: Sequence[float], is_flat: bool) -> Evidence:
        """Return the evidence of an event with these distances, W1, ascending; at least `RANK` where there are."""
        p = p_value(ratio(distances), self.left_out)
        return Evidence(p, is_flat, p <= self.level and not is_flat)


def ratio(distances: Sequence[float]) -> float:
    """Return the nearest distance by the fifth, rounded; by the last where there are fewer, which is more.

    Args:
        distances: ascending, >= 0.

    Returns:
        A number in [0, 1]: 0 for an exact copy, 1 where there is no distance, or but one.
    """
    if len(distances) == 0:
        return 1.0
    nearest, compared = distances[0], distances[min(RANK, len(distances)) - 1]
    return 0.0 if nearest == 0.0 else round(nearest / compared, DECIMALS)


def p_value(found: float, left_out: Sequence[float]) -> float:
    """Return (1 + how many of these ratios are at most this one) / (1 + how many there are)."""
    return (1 + bisect_right(left_out, found)) / (1 + len(left_out))


def least_p_value(left_out: Sequence[float]) -> float:
    """Return the least p-value that any event can have beside these ratios."""
    return 1 / (1 + len(left_out))
