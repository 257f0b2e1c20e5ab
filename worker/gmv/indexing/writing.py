"""From staged features to the files of an index, and the manifest that describes them."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from gmv.corpus.port import TrainingImage
from gmv.index.digests import file_entry
from gmv.index.images import write_images
from gmv.index.manifest import (
    ENCODER_FILE,
    IMAGES_FILE,
    MANIFEST,
    RECALL_FILE,
    REJECTED_FILE,
    TOKENS_FILE,
    CorpusEntry,
    Defaults,
    EncoderEntry,
    Manifest,
    RecallEntry,
)
from gmv.index.recall import open_recall, write_recall
from gmv.index.tokens import open_tokens
from gmv.indexing.factory import default_factory, train_index
from gmv.indexing.progress import Progress
from gmv.indexing.quality import measure_recall
from gmv.indexing.staging import FeatureStage
from gmv.indexing.temperature import measure_neighbours
from gmv.indexing.workspace import Workspace
from gmv.settings import ValuationSettings

_SEED = 0
_CHUNK_ROWS = 8_192


def write_index_files(
    workspace: Workspace,
    stage: FeatureStage,
    encoder: EncoderEntry,
    factory: str | None,
    valuation: ValuationSettings,
    progress: Progress,
) -> Manifest:
    """Write everything but the encoder, which is there, and the manifest last."""
    folder, kept = workspace.folder, stage.kept()
    images = [stage.rows[row] for row in kept]
    vectors = stage.vectors if len(kept) == len(stage.rows) else stage.vectors[kept]
    chosen = factory or default_factory(len(images), encoder.vector_size)
    with progress("training recall", None, "") as advance:
        if {"recall": chosen} not in workspace.journal:
            write_recall(folder / RECALL_FILE, train_index(chosen, vectors, _SEED))
            workspace.settle(RECALL_FILE)
            workspace.note({"recall": chosen})
        advance(1)
    recall = open_recall(folder / RECALL_FILE)
    with progress("measuring recall", None, "") as advance:
        measured = measure_recall(recall, vectors, valuation.candidates, _SEED)
        advance(1)
    _write_tokens(folder, stage, kept)
    with progress("measuring distances", None, "") as advance:
        tokens = open_tokens(folder / TOKENS_FILE)
        neighbours = measure_neighbours(recall, vectors, tokens, valuation.candidates, _SEED, valuation.temperature)
        advance(1)
    write_images(folder / IMAGES_FILE, images)
    workspace.write(REJECTED_FILE, b"".join(orjson.dumps(each._asdict()) + b"\n" for each in stage.rejected))
    names = [RECALL_FILE, TOKENS_FILE, IMAGES_FILE, REJECTED_FILE] + [ENCODER_FILE] * encoder.has_parameters
    names += encoder.network.files if encoder.network else ()
    manifest = Manifest(
        encoder=encoder,
        corpus=CorpusEntry(
            images=len(images),
            owners=len({image.owner_id for image in images}),
            rejected=len(stage.rejected),
            digest=_corpus_digest(images, stage.digests[kept]),
        ),
        recall=RecallEntry(factory=chosen, measured=measured),
        neighbours=neighbours,
        defaults=Defaults(**valuation.method(neighbours.temperature).model_dump()),
        files={name: file_entry(folder / name) for name in sorted(names)},
    )
    workspace.write(MANIFEST, manifest.to_bytes())
    return manifest


def _write_tokens(folder: Path, stage: FeatureStage, kept: NDArray[np.int64]) -> None:
    """Give the staged tokens their name, or copy those that are kept. The staged file stays until all is published."""
    path = folder / TOKENS_FILE
    path.unlink(missing_ok=True)
    if len(kept) == len(stage.rows):
        _link(Path(str(stage.tokens.filename)), path)
        return
    with path.open("wb") as file:
        shape = (len(kept), *stage.tokens.shape[1:])
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(kept), _CHUNK_ROWS):
            file.write(stage.tokens[kept[start : start + _CHUNK_ROWS]].tobytes())


def _link(existing: Path, path: Path) -> None:
    try:
        os.link(existing, path)
    except OSError:  # a file system without links
        shutil.copyfile(existing, path)


def _corpus_digest(images: Sequence[TrainingImage], digests: NDArray[np.uint8]) -> str:
    """Return the SHA-256 over ids, owners, weights and image files, in order of id."""
    digest = hashlib.sha256()
    for image, file in zip(images, digests, strict=True):
        digest.update(orjson.dumps([image.image_id, image.owner_id, image.weight]))
        digest.update(file.tobytes())
    return digest.hexdigest()
