"""What an index knows of evidence: how near to each other images of its corpus are, and how often it errs by that."""

from typing import Any, Final

from numpy.typing import NDArray
from pydantic import Field

from gmv.encoders.flatness import tokens_alike
from gmv.index.entry import Entry
from gmv.index.tokens import Tokens
from gmv.valuation.evidence import Evidence, EvidenceRule, least_p_value
from gmv.valuation.ranking import Ranking

FLAT_NAMED_MAX: Final = 5

RATIOS: Final = 199
"""Kept at most, so that p-values are multiples of 1 / 200."""

IMAGES_PER_RATIO_MAX: Final = 10
WITHOUT_SOURCE: Final = 500
"""Left out at most beside those that give ratios. Of 199 images, 399 and so on none are left for it."""

ASKED_MIN: Final = 20
"""Images of a kind, for a share of them to be told: of one image it would be all of them or none."""


class EvidenceErrors(Entry):
    """How often evidence errs at one level, in shares of the queries; None where no such queries could be made.

    Attributes:
        level: p-value up to which an event is reliable.
        without_source: of training images that were left out, and are not among the ratios: called reliable.
        copies_missed: of altered copies of a training image: called unreliable.
        mixes_missed: of mixes of two or three training images: called unreliable.
    """

    level: float = Field(gt=0, lt=1)
    without_source: float | None
    copies_missed: float | None
    mixes_missed: float | None


class MeasuredEvidence(Entry):
    """What events are compared with.

    Attributes:
        images: training images that were left out, each of its own answer.
        ratios: of them (see `gmv.valuation.evidence.ratio`), ascending; where there are many, evenly spaced ones.
        flat_from: how many tokens alike make an image flat.
        flat_images: training images that are.
        flat_named: ids of some of them, of the first where no images were added or removed since.
        queries_without_source: for the errors.
        queries_copies: ditto.
        queries_mixes: ditto.
        errors: by level.
    """

    images: int = Field(ge=0)
    ratios: tuple[float, ...]
    flat_from: int = Field(gt=0)
    flat_images: int = Field(ge=0)
    flat_named: tuple[str, ...]
    queries_without_source: int = Field(ge=0)
    queries_copies: int = Field(ge=0)
    queries_mixes: int = Field(ge=0)
    errors: tuple[EvidenceErrors, ...]

    def sentence(self, errors: EvidenceErrors) -> str:
        """Say what one of the levels would do."""
        if errors.level < least_p_value(self.ratios):
            return "no event can reach it: the corpus has too few images"
        kinds = (
            ("pays for {:.1%} of {:,} images without a source", errors.without_source, self.queries_without_source),
            ("misses {:.1%} of {:,} altered copies", errors.copies_missed, self.queries_copies),
            ("{:.1%} of {:,} mixes", errors.mixes_missed, self.queries_mixes),
        )
        found = [text.format(share, asked) for text, share, asked in kinds if share is not None and asked >= ASKED_MIN]
        told = [", ".join(found)] if found else []
        if self.queries_without_source < ASKED_MIN:
            told.append(f"how often it pays without a source is not measured: too few images, {self._images_wanted()}")
        return "; ".join(told)

    def _images_wanted(self) -> str:
        least = -(-self.images // (RATIOS + 1)) * (RATIOS + 1) - 1 + ASKED_MIN
        for_all = IMAGES_PER_RATIO_MAX * (RATIOS + 1) - 1 + WITHOUT_SOURCE
        return f"it takes {least:,}, and {for_all:,} for {WITHOUT_SOURCE} such images"


class EvidenceJudge:
    """Judges what speaks for the contributors of an event."""

    def __init__(self, rule: EvidenceRule, flat_from: int, tokens: Tokens, positions: int) -> None:
        """Take what is compared with.

        Args:
            rule: for distances.
            flat_from: how many tokens alike make an image flat.
            tokens: [rows, n, d] of the index.
            positions: how many of a token's last numbers say where it is.
        """
        self._rule = rule
        self._flat_from = flat_from
        self._tokens = tokens
        self._positions = positions

    @property
    def is_policy(self) -> bool:
        """Whether an event that is not reliable is credited to nobody."""
        return self._rule.is_policy

    def judge(self, tokens: NDArray[Any], ranking: Ranking) -> Evidence:
        """Return the evidence of an event.

        It is flat, too, where the training image nearest to it is: a black picture under noise that nobody sees has no
        two tokens alike, and is nearest to what is nearly black.

        Args:
            tokens: [n, d], its own; n may differ from the index's.
            ranking: at least as far as `gmv.valuation.evidence.RANK`, where there are so many.
        """
        nearest = self._tokens[ranking.rows[:1]]  # none where nobody is left who did not opt out
        is_flat = self._is_flat(tokens) or any(self._is_flat(each) for each in nearest)
        return self._rule.judge(ranking.distances.tolist(), is_flat)

    def _is_flat(self, tokens: NDArray[Any]) -> bool:
        alike = int(tokens_alike(tokens[None], self._positions)[0])
        return bool(alike * self._tokens.shape[1] >= self._flat_from * len(tokens))
