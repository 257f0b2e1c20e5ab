"""An index folder, opened with the encoder that made it: what a query needs."""

import os
from dataclasses import dataclass
from pathlib import Path

from gmv.encoders.flatness import position_numbers
from gmv.encoders.open import open_encoder
from gmv.encoders.port import Encoder, MirroringEncoder
from gmv.errors import IndexRefused
from gmv.index.digests import check_digests, check_sizes
from gmv.index.groups import CopyGroups, no_groups, open_groups
from gmv.index.images import ArrowImages, open_images
from gmv.index.integer_recall import IntegerRecall, open_integer_recall
from gmv.index.manifest import (
    ENCODER_FILE,
    GROUPS_FILE,
    IMAGES_FILE,
    RECALL_FILE,
    RECALL_ROWS_FILE,
    TOKENS_FILE,
    VECTORS_FILE,
    EncoderEntry,
    Manifest,
    read_manifest,
)
from gmv.index.recall import FaissRecall, open_recall
from gmv.index.tokens import Tokens, open_tokens


@dataclass(frozen=True, slots=True)
class Index:
    """An index folder, mapped into memory and ready for queries.

    Attributes:
        path: the folder.
        index_id: 32 hex digits, the digest of everything in it.
        manifest: what it holds.
        encoder: the one it was built by.
        recall: by global vector.
        tokens: float16, float32 or int8 [rows, n, d], mapped, for the re-rank.
        images: who made what.
        groups: which images are near copies of each other.
    """

    path: Path
    index_id: str
    manifest: Manifest
    encoder: Encoder
    recall: FaissRecall | IntegerRecall
    tokens: Tokens
    images: ArrowImages
    groups: CopyGroups

    @property
    def mirror(self) -> MirroringEncoder | None:
        """The encoder, where it sees the mirrored image, too."""
        return self.encoder if isinstance(self.encoder, MirroringEncoder) else None

    @property
    def token_scale(self) -> int:
        """What distances of tokens are divided by, for W1."""
        return self.mirror.token_scale if self.mirror else 1

    @property
    def position_numbers(self) -> int:
        """How many of a token's last numbers say where it is."""
        return position_numbers(self.manifest.encoder.kind)


def open_index(path: Path, verify: bool) -> Index:
    """Open an index folder and its encoder.

    Args:
        path: the folder.
        verify: whether to read every file through and compare its SHA-256 (about a second per 0.5 GB). Sizes and
            shapes are checked in any case.

    Raises:
        IndexRefused: a file is missing, altered, or does not fit the others, or another encoder made it.
    """
    path = Path(os.path.realpath(path))  # a link that is changed meanwhile leads to files of one index or the other
    manifest, index_id = read_manifest(path)
    check_sizes(path, manifest.files)
    if verify:
        check_digests(path, manifest.files)
    encoder = _encoder(path, manifest.encoder)
    index = Index(
        path=path,
        index_id=index_id,
        manifest=manifest,
        encoder=encoder,
        recall=_recall(path, manifest, encoder),
        tokens=open_tokens(path / TOKENS_FILE),
        images=(images := open_images(path / IMAGES_FILE)),
        groups=open_groups(path / GROUPS_FILE, images) if GROUPS_FILE in manifest.files else no_groups(images),
    )
    _check_shapes(index)
    return index


def _encoder(path: Path, entry: EncoderEntry) -> Encoder:
    parameters = path / ENCODER_FILE if entry.has_parameters else None
    return open_encoder(entry.kind, entry.id, parameters, entry.vector_size, entry.tokens_shape)


def _recall(path: Path, manifest: Manifest, encoder: Encoder) -> FaissRecall | IntegerRecall:
    if isinstance(encoder, MirroringEncoder):
        return open_integer_recall(path, encoder)
    recall = open_recall(path / RECALL_FILE, path / RECALL_ROWS_FILE if RECALL_ROWS_FILE in manifest.files else None)
    entry = manifest.recall
    if entry.lists is not None:
        if recall.lists != entry.lists.lists:
            raise IndexRefused(
                f"{path / RECALL_FILE} has {recall.lists:,} lists, its manifest says {entry.lists.lists:,}; build the "
                "index again"
            )
        recall.probe(entry.lists.probes)
    return recall


def _check_shapes(index: Index) -> None:
    manifest, rows = index.manifest, index.manifest.corpus.images
    recall_file = VECTORS_FILE if index.mirror else RECALL_FILE
    expected = {
        recall_file: (rows, manifest.encoder.vector_size),
        TOKENS_FILE: (rows, *manifest.encoder.tokens_shape),
        IMAGES_FILE: (rows,),
    }
    found = {
        recall_file: (index.recall.rows, index.recall.vector_size),
        TOKENS_FILE: index.tokens.shape,
        IMAGES_FILE: (len(index.images),),
    }
    for name, shape in expected.items():
        if found[name] != shape:
            raise IndexRefused(
                f"{index.path / name} holds {found[name]}, its manifest says {shape}; build the index again"
            )
