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
        is_left_out: whether an image that is opted out is left out of the contributor set, and the others share the
            whole credit; if not, it keeps its share, with a weight of 0, and nobody is paid it.
        digest: SHA-256 of where this was read, "" if nowhere.
    """

    opted_out_owners: frozenset[str] = frozenset()
    opted_out_images: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    is_left_out: bool = False
    digest: str = ""

    def apply(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the contributor set as its owners want it, in the order given."""
        owned = [
            replace(each, owner_id=self.owners[each.image_id]) if each.image_id in self.owners else each
            for each in candidates
        ]
        if self.is_left_out:
            return [each for each in owned if not self._is_opted_out(each)]
        return [replace(each, weight=0.0) if self._is_opted_out(each) else each for each in owned]

    def _is_opted_out(self, candidate: Candidate) -> bool:
        return candidate.owner_id in self.opted_out_owners or candidate.image_id in self.opted_out_images
