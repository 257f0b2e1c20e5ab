"""What owners have said since the index was built: who opted out, and whose an image is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gmv.valuation.types import Candidate


@dataclass(frozen=True, slots=True)
class Ownership:
    """Changes to what the index says of its images; none of them by default.

    Attributes:
        opted_out_owners: who is credited for none of their images, those given to them since included.
        opted_out_images: images that nobody is credited for.
        owners: image id -> whose it is now.
        is_left_out: whether an image that is opted out is left out of the contributor set, its place is taken by the
            next nearest, and these share the whole credit; if not, it keeps its share, with a weight of 0, and nobody
            is paid it.
        digest: SHA-256 of where this was read, "" if nowhere.
    """

    opted_out_owners: frozenset[str] = frozenset()
    opted_out_images: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    is_left_out: bool = False
    digest: str = ""

    def apply(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the contributor set as its owners want it, in the order given."""
        said = [(each, self.is_opted_out(each.image_id, each.owner_id)) for each in candidates]
        if self.is_left_out:
            said = [(each, is_out) for each, is_out in said if not is_out]
        return [
            replace(each, owner_id=self.owner_of(each.image_id, each.owner_id), weight=0.0 if is_out else each.weight)
            for each, is_out in said
        ]

    def owner_of(self, image_id: str, indexed_owner_id: str) -> str:
        """Return whose an image is now, which the index says is that owner's."""
        return self.owners.get(image_id, indexed_owner_id)

    def is_opted_out(self, image_id: str, indexed_owner_id: str) -> bool:
        """Return whether nobody is credited for an image, which the index says is that owner's."""
        return image_id in self.opted_out_images or self.owner_of(image_id, indexed_owner_id) in self.opted_out_owners
