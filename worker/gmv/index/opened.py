"""An index folder, opened: all but its encoder, which is another area's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmv.errors import IndexRefused
from gmv.index.digests import check_digests, check_sizes
from gmv.index.images import ArrowImages, open_images
from gmv.index.manifest import IMAGES_FILE, RECALL_FILE, TOKENS_FILE, Manifest, read_manifest
from gmv.index.recall import FaissRecall, open_recall
from gmv.index.tokens import open_tokens


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """The parts of an index folder, mapped into memory."""

    path: Path
    index_id: str
    manifest: Manifest
    recall: FaissRecall
    tokens: NDArray[np.float16] | NDArray[np.float32]
    images: ArrowImages


def open_stored(path: Path, verify: bool) -> StoredIndex:
    """Open an index folder.

    Args:
        path: the folder.
        verify: whether to read every file through and compare its SHA-256 (about a second per 0.5 GB). Sizes and
            shapes are checked in any case.

    Raises:
        IndexRefused: a file is missing, altered, or does not fit the others.
    """
    manifest, index_id = read_manifest(path)
    check_sizes(path, manifest.files)
    if verify:
        check_digests(path, manifest.files)
    stored = StoredIndex(
        path=path,
        index_id=index_id,
        manifest=manifest,
        recall=open_recall(path / RECALL_FILE),
        tokens=open_tokens(path / TOKENS_FILE),
        images=open_images(path / IMAGES_FILE),
    )
    _check_shapes(stored)
    return stored


def _check_shapes(stored: StoredIndex) -> None:
    manifest, rows = stored.manifest, stored.manifest.corpus.images
    expected = {
        RECALL_FILE: (rows, manifest.encoder.vector_size),
        TOKENS_FILE: (rows, *manifest.encoder.tokens_shape),
        IMAGES_FILE: (rows,),
    }
    found = {
        RECALL_FILE: (stored.recall.rows, stored.recall.vector_size),
        TOKENS_FILE: stored.tokens.shape,
        IMAGES_FILE: (len(stored.images),),
    }
    for name, shape in expected.items():
        if found[name] != shape:
            raise IndexRefused(
                f"{stored.path / name} holds {found[name]}, its manifest says {shape}; build the index again"
            )
