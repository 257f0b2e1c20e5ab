"""What a build found of near copies among training images."""

from pydantic import Field

from gmv.index.entry import Entry, UnitInterval


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
