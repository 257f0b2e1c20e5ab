"""What a build measured of features that a corpus brought, of an inverted file's lists, and of near copies."""

from pydantic import Field

from gmv.index.entry import Entry, UnitInterval


class MeasuredFeatures(Entry):
    """Features that a corpus brought, by a sample of it.

    Attributes:
        tokens_shape: (n, d) as they were brought; the encoder's own is what is left of it.
        token_length: median Euclidean length of a token.
        rounding: what float16 rounds off tokens, as a share of how far they are from their mean (root mean squares).
    """

    tokens_shape: tuple[int, int]
    token_length: float = Field(ge=0)
    rounding: float = Field(ge=0)


class ProbedPoint(Entry):
    """Recall of the true nearest where so many of the lists are probed, as `RecallPoint` tells it."""

    probes: int = Field(gt=0)
    recall: float = UnitInterval
    least: float = UnitInterval
    most: float = UnitInterval


class CalibratedLists(Entry):
    """How many of an inverted file's lists are probed for a query.

    Attributes:
        lists: that it has.
        probes: of them, for every query.
        candidates: M at which recall was measured.
        target: share of the ten nearest by W1 that was wanted by it.
        points: of the numbers that were tried, for training images left out of their own answers.
    """

    lists: int = Field(gt=0)
    probes: int = Field(gt=0)
    candidates: int = Field(gt=0)
    target: float = Field(gt=0, le=1)
    points: tuple[ProbedPoint, ...]

    def sentence(self) -> str:
        """Say what lists lose, and where they are not what keeps recall below the target, or of no use."""
        by_number = {point.probes: point.recall for point in self.points}
        held, best = by_number[self.probes], by_number[self.lists]
        found = (
            f"{self.probes:,} of {self.lists:,} lists hold {held:.1%} of the ten nearest by W1 within "
            f"{self.candidates:,} candidates, all of them {best:.1%}"
        )
        if best < self.target:
            return f"{found}: no number of lists reaches {self.target:.1%}, so another --factory or more candidates may"
        if 2 * self.probes > self.lists:
            return f"{found}: so many that a --factory without IVF is as quick"
        return found


class AlteredCopies(Entry):
    """How many copies that were altered in one way are too far from what they were made of to be found.

    Attributes:
        kind: of alteration, in words.
        images: that were altered.
        missed: share of them.
    """

    kind: str
    images: int
    missed: float = UnitInterval


class FoundCopies(Entry):
    """Near copies among training images, and how well they are told from others.

    Two images count as copies where W1 between them is at most `level` times the spacing of either: how far a token is
    from the nearest other of its own image, in the mean.

    Attributes:
        level: that was learnt.
        queries: training images drawn to learn it, each left out of its own answer.
        nearest_within: share of them whose nearest other image counts as a copy; real copies are among these.
        tenth_within: share of them whose tenth nearest does, which is hardly ever a copy.
        altered: by kind of alteration; none for features that this gmv did not make.
        groups: of copies.
        images: in them.
        groups_of_several_owners: among them.
    """

    level: float = Field(ge=0)
    queries: int = Field(ge=0)
    nearest_within: float = UnitInterval
    tenth_within: float = UnitInterval
    altered: tuple[AlteredCopies, ...]
    groups: int = Field(ge=0)
    images: int = Field(ge=0)
    groups_of_several_owners: int = Field(ge=0)
