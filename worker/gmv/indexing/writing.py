"""From staged features to the files of an index, and the manifest that describes them."""

import hashlib
from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from gmv.corpus.port import TrainingImage
from gmv.encoders.flatness import position_numbers
from gmv.index.digests import file_entry
from gmv.index.groups import write_groups
from gmv.index.images import write_images
from gmv.index.manifest import (
    ENCODER_FILE,
    GROUPS_FILE,
    IMAGES_FILE,
    MANIFEST,
    REJECTED_FILE,
    TOKENS_FILE,
    CorpusEntry,
    Defaults,
    Manifest,
)
from gmv.index.past_copies import RecallPastCopies
from gmv.index.tokens import open_tokens
from gmv.indexing.calibrating import Calibration
from gmv.indexing.copies import CopyFinder
from gmv.indexing.copy_groups import group_copies
from gmv.indexing.evidence import Ranked, measure_evidence
from gmv.indexing.feature_source import FeatureSource
from gmv.indexing.progress import Progress
from gmv.indexing.recalling import measured_entry, write_recall_file
from gmv.indexing.staging import FeatureStage
from gmv.indexing.temperature import measure_neighbours
from gmv.indexing.workspace import Workspace
from gmv.settings import ValuationSettings
from gmv.valuation.copies import OnePlacePerGroup
from gmv.valuation.evidence import RANK
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
    sources = calibration.sources(image_ids, source.mirror)
    truths = calibration.truths(vectors, tokens, source.mirror, sources, progress)
    wanted = valuation.candidates or calibration.candidates_max
    recall, recall_entry = written.recall, measured_entry(written, vectors, truths, calibration, wanted, progress)
    calibrated = calibration.candidates(recall, truths, len(images))
    candidates = valuation.candidates or calibrated.chosen
    with progress("measuring distances", None, "") as advance:
        reranker = ExactReranker(tokens, scale=source.token_scale)
        neighbours = measure_neighbours(recall, vectors, tokens, reranker, candidates, _SEED, valuation.temperature)
        advance(1)
    write_images(folder / IMAGES_FILE, images)
    group_of, copies = np.arange(len(images), dtype=np.int32), None
    if calibration.finds_copies:
        finder = CopyFinder(recall, vectors, tokens, ExactReranker(tokens, scale=source.token_scale), source.mirror)
        group_of, copies = group_copies(finder, images, calibration, source.mirror, progress)
        if copies.groups:
            write_groups(folder / GROUPS_FILE, group_of)
    side_by_side = OnePlacePerGroup(ExactReranker(tokens, calibration.threads, source.token_scale), group_of)
    evidence = measure_evidence(
        Ranked(RecallPastCopies(recall, group_of, RANK + 1), side_by_side, candidates, group_of),  # one is its own
        vectors,
        tokens,
        position_numbers(encoder.kind),
        source.mirror,
        image_ids,
        calibration.made(sources, source.mirror),
        _SEED,
        progress,
    )
    workspace.write(REJECTED_FILE, b"".join(orjson.dumps(each._asdict()) + b"\n" for each in stage.rejected))
    names = [*written.files, TOKENS_FILE, IMAGES_FILE, REJECTED_FILE] + [ENCODER_FILE] * encoder.has_parameters
    names += encoder.network.files if encoder.network else ()
    names += [GROUPS_FILE] * bool(copies and copies.groups)
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
        evidence=evidence,
        copies=copies,
        defaults=Defaults(
            candidates=candidates, contributors=valuation.contributors, temperature=neighbours.temperature
        ),
        files={name: file_entry(folder / name) for name in sorted(names)},
    )
    workspace.write(MANIFEST, manifest.to_bytes())
    return manifest


def corpus_digest(images: Sequence[TrainingImage], digests: NDArray[np.uint8]) -> str:
    """Return the SHA-256 over ids, owners, weights, when images were registered, and image files.

    Args:
        images: in order of id.
        digests: uint8 [images, 32], SHA-256 of each image's file.

    Returns:
        64 hex digits.
    """
    digest = hashlib.sha256()
    for image, file in zip(images, digests, strict=True):
        registered = [] if image.registered is None else [image.registered]
        digest.update(orjson.dumps([image.image_id, image.owner_id, image.weight, *registered]))
        digest.update(file.tobytes())
    return digest.hexdigest()
