"""The files of an index that is made of another: what stays is linked, rows are copied to where their ids put them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from gmv.corpus.port import TrainingImage
from gmv.encoders.flatness import tokens_alike
from gmv.encoders.port import Numbers
from gmv.index.digests import file_entry
from gmv.index.evidence import FLAT_NAMED_MAX, MeasuredEvidence
from gmv.index.images import write_images
from gmv.index.integer_recall import IntegerRecall, open_integer_recall
from gmv.index.manifest import (
    CODER_FILE,
    CODES_FILE,
    ENCODER_FILE,
    GROUPS_FILE,
    IMAGES_FILE,
    INTEGER_FILES,
    MANIFEST,
    RECALL_FILE,
    RECALL_ROWS_FILE,
    REJECTED_FILE,
    TOKENS_FILE,
    VECTORS_FILE,
    CorpusEntry,
    Manifest,
    MeasuredNeighbours,
)
from gmv.index.opened import Index
from gmv.index.parent import ParentEntry
from gmv.index.recall import FaissRecall, open_recall, read_growing, write_recall
from gmv.index.tokens import Tokens, open_tokens
from gmv.indexing.growing.regrouping import write_regrouped
from gmv.indexing.progress import Progress
from gmv.indexing.row_files import link, write_rows
from gmv.indexing.staging import Rejected
from gmv.indexing.temperature import measure_neighbours
from gmv.indexing.workspace import Workspace
from gmv.valuation.wasserstein.rerank import ExactReranker

_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What makes an index of another.

    Attributes:
        parent: the other.
        added: training images that it lacks, in order of id.
        vectors: of the added, [added, D].
        tokens: of the added, [added, n, d].
        rows: int64, those of the index to be, in order of image id; the added are counted after all of the parent's.
        rejected: of those that were to be added.
        digest: of the corpus that this leads to.
        threads: that rank; no bit depends on it.
    """

    parent: Index
    added: Sequence[TrainingImage]
    vectors: Numbers
    tokens: Numbers
    rows: NDArray[np.int64]
    rejected: Sequence[Rejected]
    digest: str
    threads: int = 1

    def images(self) -> list[TrainingImage]:
        """Return those of the index to be, in order of row."""
        both = [*self.parent.images.all(), *self.added]
        return [both[row] for row in self.rows.tolist()]


def write_changed(workspace: Workspace, change: Change, measures_neighbours: bool, progress: Progress) -> Manifest:
    """Write everything, and the manifest last.

    Args:
        workspace: where.
        change: what is made of what.
        measures_neighbours: whether distances among neighbours are measured anew: of an index of integers, which keeps
            its vectors.
        progress: shows the steps.
    """
    folder, parent = workspace.folder, change.parent
    manifest = parent.manifest
    with progress("copying rows", None, "") as advance:
        recall_files = _write_recall(folder, change)
        _fresh(folder / TOKENS_FILE)
        write_rows(folder / TOKENS_FILE, [parent.tokens, change.tokens], change.rows)
        images = change.images()
        write_images(_fresh(folder / IMAGES_FILE), images)
        rejected = _rejected(change)
        workspace.write(REJECTED_FILE, b"".join(line + b"\n" for line in rejected))
        advance(1)
    kept = [ENCODER_FILE] * manifest.encoder.has_parameters
    kept += manifest.encoder.network.files if manifest.encoder.network else ()
    for name in kept:
        link(parent.path / name, _fresh(folder / name))
    recall, tokens = _open_recall(folder, parent), open_tokens(folder / TOKENS_FILE)
    copies = write_regrouped(
        folder, parent, images, change.rows, change.vectors, recall, tokens, change.threads, progress
    )
    neighbours, defaults = manifest.neighbours, manifest.defaults
    if measures_neighbours and isinstance(recall, IntegerRecall):
        neighbours = _measured(recall, tokens, parent, progress)
        defaults = defaults.model_copy(update={"temperature": neighbours.temperature})
    names = [*recall_files, TOKENS_FILE, IMAGES_FILE, REJECTED_FILE, *kept]
    names += [GROUPS_FILE] * bool(copies and copies.groups)
    changed = manifest.model_copy(
        update={
            "corpus": CorpusEntry(
                images=len(change.rows),
                owners=len({image.owner_id for image in images}),
                rejected=len(rejected),
                digest=change.digest,
            ),
            "neighbours": neighbours,
            "evidence": manifest.evidence and _with_flat(manifest.evidence, change),
            "copies": copies,
            "defaults": defaults,
            "parent": ParentEntry(
                index_id=parent.index_id,
                measured_index_id=manifest.parent.measured_index_id if manifest.parent else parent.index_id,
                added=len(change.added),
                removed=len(parent.images) + len(change.added) - len(change.rows),
                neighbours_kept=not measures_neighbours,
            ),
            "files": {name: file_entry(folder / name) for name in sorted(names)},
        }
    )
    workspace.write(MANIFEST, changed.to_bytes())
    return changed


def _with_flat(evidence: MeasuredEvidence, change: Change) -> MeasuredEvidence:
    """Return it with the flat pictures of the index to be: less those removed, and with those added."""
    parent = change.parent

    def flat(tokens: NDArray[Any]) -> NDArray[np.int64]:
        return np.flatnonzero(tokens_alike(tokens, parent.position_numbers) >= evidence.flat_from)

    removed = np.setdiff1d(np.arange(len(parent.images)), change.rows)
    gone = removed[flat(parent.tokens[removed])]
    gone_ids = {image.image_id for image in parent.images.images(gone)}
    came = [change.added[place].image_id for place in flat(change.tokens).tolist()]
    named = sorted({*evidence.flat_named, *came} - gone_ids, key=str.encode)
    flat_images = evidence.flat_images - len(gone) + len(came)
    return evidence.model_copy(update={"flat_images": flat_images, "flat_named": tuple(named[:FLAT_NAMED_MAX])})


def _fresh(path: Path) -> Path:
    """Take a name back that may be a link to a file of the parent, which must not be written into."""
    path.unlink(missing_ok=True)
    return path


def _write_recall(folder: Path, change: Change) -> tuple[str, ...]:
    recall = change.parent.recall
    if isinstance(recall, IntegerRecall):
        link(change.parent.path / CODER_FILE, _fresh(folder / CODER_FILE))
        codes = recall.coder.codes(change.vectors)
        write_rows(_fresh(folder / CODES_FILE), [recall.codes, codes], change.rows)
        write_rows(_fresh(folder / VECTORS_FILE), [recall.vectors, change.vectors], change.rows)
        return INTEGER_FILES
    _write_faiss(folder, change, recall)
    return RECALL_FILE, RECALL_ROWS_FILE


def _write_faiss(folder: Path, change: Change, recall: FaissRecall) -> None:
    """Add vectors to faiss's index, which counts them as they come, and say which row each is.

    Those of removed images stay in the file, as most kinds of faiss's indexes can remove none; they are never found.
    """
    path = change.parent.path / RECALL_FILE
    if change.added:
        index = read_growing(path)
        index.add(np.ascontiguousarray(change.vectors, np.float32))
        write_recall(_fresh(folder / RECALL_FILE), index)
    else:
        link(path, _fresh(folder / RECALL_FILE))
    before = len(change.parent.images)
    row_of = np.full(before + len(change.added) + 1, -1, np.int64)  # the last is for -1, who was removed before
    row_of[change.rows] = np.arange(len(change.rows))
    numbers = np.concatenate([recall.row_of, np.arange(before, before + len(change.added))])
    write_rows(_fresh(folder / RECALL_ROWS_FILE), [row_of], numbers % len(row_of))


def _rejected(change: Change) -> list[bytes]:
    """Return the lines of the parent, less those of images that were tried once more, and those that are new."""
    lines = (change.parent.path / REJECTED_FILE).read_bytes().splitlines()
    tried = {image.image_id for image in change.added} | {each.image_id for each in change.rejected}
    earlier = [line for line in lines if orjson.loads(line)["image_id"] not in tried]
    return earlier + [orjson.dumps(each._asdict()) for each in change.rejected]


def _open_recall(folder: Path, parent: Index) -> FaissRecall | IntegerRecall:
    if parent.mirror is not None:
        return open_integer_recall(folder, parent.mirror)
    recall = open_recall(folder / RECALL_FILE, folder / RECALL_ROWS_FILE)
    if (lists := parent.manifest.recall.lists) is not None:
        recall.probe(lists.probes)
    return recall


def _measured(recall: IntegerRecall, tokens: Tokens, parent: Index, progress: Progress) -> MeasuredNeighbours:
    reranker = ExactReranker(tokens, scale=parent.token_scale)
    with progress("measuring distances", None, "") as advance:
        measured = measure_neighbours(
            recall, recall.vectors, tokens, reranker, parent.manifest.defaults.candidates, _SEED, None
        )
        advance(1)
    return measured
