"""From staged features to the files of an index, and the manifest that describes them."""

import hashlib
from collections.abc import Sequence

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
    REJECTED_FILE,
    TOKENS_FILE,
    CorpusEntry,
    Defaults,
    Manifest,
)
from gmv.index.tokens import open_tokens
from gmv.indexing.calibrating import Calibration
from gmv.indexing.feature_source import FeatureSource
from gmv.indexing.progress import Progress
from gmv.indexing.recalling import measured_entry, write_recall_file
from gmv.indexing.staging import FeatureStage
from gmv.indexing.temperature import measure_neighbours
from gmv.indexing.workspace import Workspace
from gmv.settings import ValuationSettings
from gmv.valuation.wasserstein.rerank import ExactReranker

_SEED = 0


def write_index_files(
    workspace: Workspace,
    stage: FeatureStage,
    source: FeatureSource,
    factory: str | None,
    valuation: ValuationSettings,
    calibration: Calibration,
    progress: Progress,
) -> Manifest:
    """Write everything but the encoder, which is there, and the manifest last."""
    folder, encoder = workspace.folder, source.entry
    images = stage.kept_images()
    written = write_recall_file(workspace, stage, source.mirror, factory, progress)
    stage.write_kept(stage.tokens, folder / TOKENS_FILE)
    tokens, vectors = open_tokens(folder / TOKENS_FILE), stage.kept_vectors()
    image_ids = [image.image_id for image in images]
    truths = calibration.truths(vectors, tokens, image_ids, source.mirror, progress)
    wanted = valuation.candidates or calibration.candidates_max
    recall, recall_entry = written.recall, measured_entry(written, vectors, truths, calibration, wanted, progress)
    calibrated = calibration.candidates(recall, truths, len(images))
    candidates = valuation.candidates or calibrated.chosen
    with progress("measuring distances", None, "") as advance:
        reranker = ExactReranker(tokens, scale=source.token_scale)
        neighbours = measure_neighbours(recall, vectors, tokens, reranker, candidates, _SEED, valuation.temperature)
        advance(1)
    write_images(folder / IMAGES_FILE, images)
    workspace.write(REJECTED_FILE, b"".join(orjson.dumps(each._asdict()) + b"\n" for each in stage.rejected))
    names = [*written.files, TOKENS_FILE, IMAGES_FILE, REJECTED_FILE] + [ENCODER_FILE] * encoder.has_parameters
    names += encoder.network.files if encoder.network else ()
    manifest = Manifest(
        encoder=encoder,
        corpus=CorpusEntry(
            images=len(images),
            owners=len({image.owner_id for image in images}),
            rejected=len(stage.rejected),
            digest=corpus_digest(images, stage.digests[stage.kept()]),
        ),
        recall=recall_entry,
        features=source.features,
        neighbours=neighbours,
        candidates=calibrated,
        defaults=Defaults(**valuation.method(candidates, neighbours.temperature).model_dump()),
        files={name: file_entry(folder / name) for name in sorted(names)},
    )
    workspace.write(MANIFEST, manifest.to_bytes())
    return manifest


def corpus_digest(images: Sequence[TrainingImage], digests: NDArray[np.uint8]) -> str:
    """Return the SHA-256 over ids, owners, weights and image files, in order of id.

    Args:
        images: in order of id.
        digests: uint8 [images, 32], SHA-256 of each image's file.

    Returns:
        64 hex digits.
    """
    digest = hashlib.sha256()
    for image, file in zip(images, digests, strict=True):
        digest.update(orjson.dumps([image.image_id, image.owner_id, image.weight]))
        digest.update(file.tobytes())
    return digest.hexdigest()
