"""What an index folder holds, and the digests that prove it."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gmv.errors import IndexRefused
from gmv.first_error import first_error

MANIFEST = "manifest.json"

INTEGERS = "integers"
"""In place of a factory: codes are scanned, and refined by vectors."""

ENCODER_FILE = "encoder.safetensors"
RECALL_FILE = "recall.faiss"
CODER_FILE = "coder.safetensors"
CODES_FILE = "codes.npy"
VECTORS_FILE = "vectors.npy"
INTEGER_FILES = (CODER_FILE, CODES_FILE, VECTORS_FILE)
TOKENS_FILE = "tokens.npy"
IMAGES_FILE = "images.arrow"
REJECTED_FILE = "rejected.jsonl"

Sha256 = Field(pattern=r"^[0-9a-f]{64}$")
UnitInterval = Field(ge=0.0, le=1.0)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Entry):
    """A file of the index."""

    bytes: int = Field(ge=0)
    sha256: str = Sha256


class EncoderEntry(_Entry):
    """Which encoder made the features; the only one that queries may use."""

    kind: str
    id: str
    has_parameters: bool
    vector_size: int = Field(gt=0)
    tokens_shape: tuple[int, int]


class CorpusEntry(_Entry):
    """What was indexed; `digest` is over ids, owners, weights and image files, in any form of the corpus."""

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
    measured: MeasuredRecall | None = None


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


class Defaults(_Entry):
    """M and K that the settings had when the index was built, and tau for settings that name none."""

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
    neighbours: MeasuredNeighbours | None = None  # of an index that an earlier gmv built
    defaults: Defaults
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
        raise IndexRefused(
            f"{folder / MANIFEST} cannot be used: {first_error(error, 'the file')}; build the index again with this gmv"
        ) from None
