"""The recall of an index to be: faiss's, trained and then measured, or of integers, which are compared as they are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gmv.encoders.port import MirroringEncoder, Numbers
from gmv.errors import InvalidSettings
from gmv.index.integer_recall import IntegerRecall, open_integer_recall
from gmv.index.manifest import CODER_FILE, CODES_FILE, INTEGER_FILES, INTEGERS, RECALL_FILE, VECTORS_FILE, RecallEntry
from gmv.index.recall import FaissRecall, open_recall, write_recall
from gmv.indexing.calibrating import Calibration, Truth
from gmv.indexing.coding import fit_coder, write_codes
from gmv.indexing.factory import default_factory, train_index
from gmv.indexing.probing import calibrate_lists
from gmv.indexing.progress import Progress
from gmv.indexing.quality import measure_recall
from gmv.indexing.staging import FeatureStage
from gmv.indexing.workspace import Workspace

_SEED = 0


class WrittenRecall(NamedTuple):
    """Recall, the names of its files, and its factory string, or what stands in place of one."""

    recall: FaissRecall | IntegerRecall
    files: tuple[str, ...]
    factory: str


def write_recall_file(
    workspace: Workspace,
    stage: FeatureStage,
    mirror: MirroringEncoder | None,
    factory: str | None,
    progress: Progress,
) -> WrittenRecall:
    """Write what recall needs of the images that are kept.

    Args:
        workspace: of the index.
        stage: all images are in it.
        mirror: the encoder, where it is exact.
        factory: faiss factory string; None: by the rule of `default_factory`.
        progress: shows the step.

    Raises:
        InvalidSettings: faiss cannot build it, or has no part in it.
    """
    if mirror is None:
        return _by_faiss(workspace, stage, factory, progress)
    if factory is not None:
        raise InvalidSettings(
            "the encoder's vectors are integers, which are compared without faiss: leave out --factory"
        )
    folder = workspace.folder
    with progress("training recall", None, "") as advance:
        stage.write_kept(stage.vectors, folder / VECTORS_FILE)
        vectors = stage.kept_vectors().view(np.ndarray)
        coder = fit_coder(vectors, mirror.vector_mirror, _SEED)
        workspace.write(CODER_FILE, coder.to_bytes())
        write_codes(folder / CODES_FILE, coder, vectors)
        advance(1)
    recall = open_integer_recall(folder, mirror)
    return WrittenRecall(recall, INTEGER_FILES, INTEGERS)


def _by_faiss(workspace: Workspace, stage: FeatureStage, factory: str | None, progress: Progress) -> WrittenRecall:
    path = workspace.folder / RECALL_FILE
    vectors = stage.kept_vectors().astype(np.float32, copy=False)
    chosen = factory or default_factory(*vectors.shape)
    with progress("training recall", None, "") as advance:
        if {"recall": chosen} not in workspace.journal:
            write_recall(path, train_index(chosen, vectors, _SEED))
            workspace.settle(RECALL_FILE)
            workspace.note({"recall": chosen})
        advance(1)
    return WrittenRecall(open_recall(path), (RECALL_FILE,), chosen)


def measured_entry(
    written: WrittenRecall,
    vectors: Numbers,
    truths: Sequence[Truth],
    calibration: Calibration,
    candidates: int,
    progress: Progress,
) -> RecallEntry:
    """Choose how many lists of an inverted file are probed, and see what faiss loses then.

    Args:
        written: the recall; probes as many lists as are chosen from now on.
        vectors: [rows, D], that it is over.
        truths: what is to be recalled.
        calibration: the target, and how many candidates are tried for it.
        candidates: M, for which the loss is measured.
        progress: shows the step.
    """
    recall = written.recall
    if not isinstance(recall, FaissRecall):
        return RecallEntry(factory=written.factory)
    with progress("measuring recall", None, "") as advance:
        lists = calibrate_lists(recall, truths, calibration.target, calibration.candidates_max)
        measured = measure_recall(recall, vectors.astype(np.float32, copy=False), candidates, _SEED)
        advance(1)
    return RecallEntry(factory=written.factory, lists=lists, measured=measured)
