"""What an index folder holds, and the digests that prove it."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from gmv.errors import IndexRefused
from gmv.first_error import first_error
from gmv.index.entry import Entry as _Entry
from gmv.index.entry import UnitInterval, is_none
from gmv.index.evidence import MeasuredEvidence
from gmv.index.measured import CalibratedLists, FoundCopies, MeasuredFeatures
from gmv.index.parent import ParentEntry

MANIFEST = "manifest.json"
FORMAT_VERSION = 1

INTEGERS = "integers"
"""In place of a factory: codes are scanned, and refined by vectors."""

ENCODER_FILE = "encoder.safetensors"
RECALL_FILE = "recall.faiss"
RECALL_ROWS_FILE = "recall-rows.npy"
CODER_FILE = "coder.safetensors"
CODES_FILE = "codes.npy"
VECTORS_FILE = "vectors.npy"
INTEGER_FILES = (CODER_FILE, CODES_FILE, VECTORS_FILE)
TOKENS_FILE = "tokens.npy"
IMAGES_FILE = "images.arrow"
REJECTED_FILE = "rejected.jsonl"
GROUPS_FILE = "groups.npy"

Sha256 = Field(pattern=r"^[0-9a-f]{64}$")
_CANDIDATES_MIN = 50
_TEMPERATURES_IN_SPREAD = 3


class FileEntry(_Entry):
    """A file of the index."""

    bytes: int = Field(ge=0)
    sha256: str = Sha256


class NetworkEntry(_Entry):
    """The network of somebody else's inside an encoder, and the files of it that the index keeps.

    Attributes:
        name: as its makers call it.
        licence: of its weights, in the words of who built the index.
        sha256: of its weights.
        files: of the index, besides the encoder's own; none where a package brings the weights.
    """

    name: str
    licence: str
    sha256: str = Sha256
    files: tuple[str, ...] = ()


class EncoderEntry(_Entry):
    """Which encoder made the features; the only one that queries may use.

    Attributes:
        kind: which program.
        id: which parameters.
        has_parameters: whether the index holds a file of them.
        vector_size: D.
        tokens_shape: (n, d).
        exact: whether an image gives the same features, bit for bit, on every processor.
        network: of a pretrained encoder.
    """

    kind: str
    id: str
    has_parameters: bool
    vector_size: int = Field(gt=0)
    tokens_shape: tuple[int, int]
    exact: bool = False
    network: NetworkEntry | None = None


class CorpusEntry(_Entry):
    """What was indexed; `digest` is over ids, owners, weights and image files, in any form of the corpus.

    Of an index that has a parent it is over the parent's digest and what was added or removed.
    """

    images: int = Field(gt=0)
    owners: int = Field(gt=0)
    rejected: int = Field(ge=0)
    digest: str = Sha256


class MeasuredRecall(_Entry):
    """Recall against exact search by the same vectors; training images are the queries, themselves left out.

    Attributes:
        queries: drawn from the corpus.
        candidates: M, recalled for each.
        nearest_1: share of queries whose nearest image is among the recalled.
        nearest_10: share of the 10 nearest that are.
        nearest_100: share of the 100 nearest that are.
    """

    queries: int
    candidates: int
    nearest_1: float = UnitInterval
    nearest_10: float = UnitInterval
    nearest_100: float = UnitInterval


class RecallEntry(_Entry):
    """How recall works: a faiss factory string and what it loses, or `integers`, which compares all exactly."""

    factory: str
    lists: CalibratedLists | None = Field(None, exclude_if=is_none)  # of an inverted file
    measured: MeasuredRecall | None = None


def temperature_of(spread: float) -> float:
    """Return a third of a spread, to two digits, so that all processors come to the same; 1 where there is none."""
    return float(f"{spread / _TEMPERATURES_IN_SPREAD:.2g}") if spread > 0.0 else 1.0


class MeasuredNeighbours(_Entry):
    """How far apart training images are, by W1, each left out of its own answer, and what shares come of it.

    Attributes:
        queries: drawn from the corpus; 0 where an image has no other beside it.
        nearest_1: median distance to the nearest.
        nearest_10: median distance to the tenth nearest.
        spread: median of their difference.
        temperature: tau at which the shares are.
        top_share: median share of the nearest of ten.
        effective_contributors: median of exp(H) of the ten shares.
    """

    queries: int
    nearest_1: float
    nearest_10: float
    spread: float
    temperature: float = Field(gt=0)
    top_share: float = UnitInterval
    effective_contributors: float

    @property
    def own_temperature(self) -> float:
        """What follows from the distances."""
        return temperature_of(self.spread)


class RecallPoint(_Entry):
    """Recall of the true nearest by so many candidates.

    Attributes:
        candidates: M.
        recall: share of the ten nearest by W1 that are among M recalled.
        least: of an interval of 95 % around it.
        most: of that interval.
    """

    candidates: int = Field(gt=0)
    recall: float = UnitInterval
    least: float = UnitInterval
    most: float = UnitInterval


class RecallCurve(_Entry):
    """Recall of the true nearest by number of candidates, for one kind of queries."""

    kind: str
    queries: int = Field(ge=0)
    points: tuple[RecallPoint, ...]


class CalibratedCandidates(_Entry):
    """How many candidates hold the true nearest, which were found by ranking all rows by W1.

    Attributes:
        target: share of the ten nearest that was wanted.
        candidates_max: the most candidates that were tried.
        candidates: the least M that reaches the target for each kind of queries; None where not even the most do.
        curves: of each kind.
    """

    target: float = Field(gt=0, le=1)
    candidates_max: int = Field(gt=0)
    candidates: int | None
    curves: tuple[RecallCurve, ...]

    @property
    def chosen(self) -> int:
        """M of an index for which settings name none: as many as are enough, or the most.

        Some dozens of queries say what is enough, so it is never fewer than 50.
        """
        return min(max(self.candidates or self.candidates_max, _CANDIDATES_MIN), self.candidates_max)

    def sentence(self) -> str:
        """Say whether the target can be reached, and by how many."""
        if self.candidates is not None:
            return f"{self.candidates:,} candidates hold {self.target:.1%} of the ten nearest by W1"
        reached = "; ".join(f"{curve.kind}: {curve.points[-1].recall:.1%}" for curve in self.curves)
        return (
            f"{self.target:.1%} of the ten nearest by W1 are not reached by {self.candidates_max:,} candidates "
            f"({reached}); more of them (--candidates-max) may, or an index with another --factory"
        )


class Defaults(_Entry):
    """K that the settings had when the index was built, and M and tau for settings that name none."""

    candidates: int
    contributors: int
    temperature: float


class Manifest(_Entry):
    """`manifest.json`. Holds no time and no path, so the same corpus gives the same bytes."""

    format: Literal["gmv-index"] = "gmv-index"
    format_version: Literal[1] = 1
    encoder: EncoderEntry
    corpus: CorpusEntry
    recall: RecallEntry
    features: MeasuredFeatures | None = Field(None, exclude_if=is_none)  # where the corpus brought some
    neighbours: MeasuredNeighbours | None = None  # of an index that an earlier gmv built
    candidates: CalibratedCandidates | None = None  # ditto
    evidence: MeasuredEvidence | None = Field(None, exclude_if=is_none)  # ditto
    copies: FoundCopies | None = None  # ditto, and of one that was built without looking for them
    defaults: Defaults
    parent: ParentEntry | None = Field(None, exclude_if=is_none)  # of an index that was made of another
    files: dict[str, FileEntry]

    def to_bytes(self) -> bytes:
        """Return the file."""
        return self.model_dump_json(indent=2).encode() + b"\n"


def index_id_of(manifest: bytes) -> str:
    """Return the name of an index, 32 hex digits: the digest of its manifest, and so of every file."""
    return hashlib.sha256(manifest).hexdigest()[:32]


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Read a folder's manifest and return it with the index id.

    Raises:
        IndexRefused: there is none, or it is not one of this version.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise IndexRefused(
            f"{folder} is no index: {MANIFEST}: {error.strerror}; build one with `gmv index build`"
        ) from error
    try:
        return Manifest.model_validate_json(content), index_id_of(content)
    except ValidationError as error:
        what = f"{folder / MANIFEST} cannot be used: {first_error(error, 'the file')}"
        raise IndexRefused(f"{what}; {_advice_on(error)}") from None


def _advice_on(error: ValidationError) -> str:
    """Tell an index that a newer gmv built, by its version or by names that this one does not know, from others."""
    again = "build the index again with this gmv"
    found = error.errors(include_url=False, include_context=False)
    versions = [each["input"] for each in found if each["loc"] == ("format_version",)]
    if any(isinstance(each, int) and each > FORMAT_VERSION for each in versions):
        again = f"install a newer one, or {again}"
    if versions:
        return f"the index is of format {versions[0]!r}, and this gmv reads {FORMAT_VERSION}: {again}"
    if any(each["type"] == "extra_forbidden" for each in found):
        return f"a newer gmv may have built it: install that one, or {again}"
    return again
