"""An index with the encoder that made it: what a query needs, opened together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.open import open_encoder
from gmv.encoders.port import Encoder
from gmv.index.manifest import ENCODER_FILE, Manifest
from gmv.index.opened import open_stored
from gmv.index.port import ImagesTable, Recall


@dataclass(frozen=True, slots=True)
class Index:
    """An index folder, ready for queries.

    Attributes:
        path: the folder.
        index_id: 32 hex digits, the digest of everything in it.
        manifest: what it holds.
        encoder: the one it was built by.
        recall: by global vector.
        tokens: float16 or float32 [rows, n, d], mapped, for the re-rank.
        images: who made what.
    """

    path: Path
    index_id: str
    manifest: Manifest
    encoder: Encoder
    recall: Recall
    tokens: NDArray[np.float16] | NDArray[np.float32]
    images: ImagesTable


def open_index(path: Path, verify: bool) -> Index:
    """Open an index folder and its encoder.

    Args:
        path: the folder.
        verify: whether to compare the SHA-256 of every file.

    Raises:
        IndexRefused: it is missing, incomplete, altered, or made by another encoder.
    """
    stored = open_stored(path, verify)
    entry = stored.manifest.encoder
    encoder = open_encoder(
        entry.kind,
        entry.id,
        path / ENCODER_FILE if entry.has_parameters else None,
        entry.vector_size,
        entry.tokens_shape,
    )
    return Index(path, stored.index_id, stored.manifest, encoder, stored.recall, stored.tokens, stored.images)
