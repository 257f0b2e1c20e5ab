"""The value types that cross the house: who contributed to a generated image, and what each is credited."""

from dataclasses import dataclass

from gmv.valuation.evidence import Evidence

MICROS_PER_CREDIT = 1_000_000


def credits_text(micros: int) -> str:
    """Write micro-credits as credits, exactly: 1234567890 is "1,234.567890"."""
    whole, fraction = divmod(abs(micros), MICROS_PER_CREDIT)
    return f"{'-' if micros < 0 else ''}{whole:,}.{fraction:06d}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A training image near the generated one.

    Attributes:
        image_id: its id in the corpus.
        owner_id: who is credited for it.
        weight: in [0, 1], the owner's share of what the image earns; gamma_ij = quality_j x weight_i.
        distance: W1 between the two token sets, float64, >= 0.
        mirrored: whether that is the distance of the generated image mirrored from left to right, which is less.
        group: of near copies that it is one of, named by the first image of these; None where it has no copies. The
            distance is then that of the nearest of them.
    """

    image_id: str
    owner_id: str
    weight: float
    distance: float
    mirrored: bool = False
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Contributor:
    """A member of the contributor set P_j with its utility V(x_i, x_j) and its integer share of the budget.

    Of near copies, which have one place in the set, there is one contributor for each owner who is paid: `group` names
    them, and `utility` is an equal part of the place's.
    """

    image_id: str
    owner_id: str
    distance: float
    utility: float
    weight: float
    micros: int
    mirrored: bool = False
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one generated image is worth to whom.

    Attributes:
        contributors: in rank order: by distance, ties by image id.
        quality: of the generated image, in [0, 1].
        temperature: tau of the softmax.
        micros: the budget, round(10^6 x sum_i gamma_ij V_ij); equals the sum of the contributors' micros and of those
            that are unattributed (I1).
        features: SHA-256 of the features of the generated image, where another machine may compute others.
        evidence: for its contributors; None where the index has nothing to compare with.
        unattributed_micros: what no contributor is credited, since there is no evidence for any.
    """

    contributors: tuple[Contributor, ...]
    quality: float
    temperature: float
    micros: int
    features: str | None = None
    evidence: Evidence | None = None
    unattributed_micros: int = 0

    @property
    def is_nobody_left(self) -> bool:
        """Whether all images that were recalled are opted out and left out: the event is worth nothing to anybody."""
        return not self.contributors
