"""An index made of another: images added that its own encoder sees, or some removed. Nothing is encoded again.

Like a build it is made in a workspace and published by one rename, and a killed one is gone on with.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gmv.corpus.port import Corpus, TrainingImage
from gmv.corpus.reading import Reading
from gmv.errors import CorpusRefused, InvalidSettings
from gmv.imaging.decode import ImageLimits
from gmv.index.integer_recall import IntegerRecall
from gmv.index.manifest import MANIFEST, Manifest
from gmv.index.opened import Index
from gmv.indexing.feature_source import kept_source
from gmv.indexing.growing.derived import Change, write_changed
from gmv.indexing.progress import Progress
from gmv.indexing.staging import FeatureStage, encode_corpus
from gmv.indexing.workspace import check_out, open_workspace
from gmv.indexing.writing import corpus_digest
from gmv.threads import one_thread

_NAMED_MAX: Final = 5
_KINDS: Final[dict[type, str]] = {datetime: "dates", int: "numbers"}


@dataclass(frozen=True, slots=True)
class AddOptions:
    """How to add.

    Attributes:
        limits: of images.
        bad_share_max: share of the added images that may be damaged, which are left out; more, and they are refused.
        threads: that encode images; no bit of the index depends on it.
        measure_neighbours: whether distances among neighbours, and so the temperature, are measured anew.
    """

    limits: ImageLimits
    bad_share_max: float = 0.01
    threads: int = 1
    measure_neighbours: bool = False


def add_images(
    parent: Index,
    corpus: Corpus,
    out: Path,
    options: AddOptions,
    progress: Progress,
    on_reading: Callable[[Reading], None] = lambda _: None,
) -> Manifest:
    """Make an index of another and of images that it lacks; killed, it goes on when it is called again.

    Tokens, vectors, codes and answers are what they would be, had the parent's encoder and coder been given all images
    at once.

    Args:
        parent: opened and verified, since digests of what is copied are computed anew.
        corpus: the images to add, and none of the parent's.
        out: the folder to be.
        options: how to add.
        progress: shows long steps.
        on_reading: told what was read and passed over, before any image is encoded.

    Raises:
        CorpusRefused: ids, owners or weights are wrong, an id is the parent's, images are registered by numbers where
            the parent has dates, or the other way round, or too many images are damaged.
        IndexRefused: there is something under the final name, or another process is at work there.
        InvalidSettings: the corpus brings features and the parent takes images, or the other way round; or distances
            are to be measured, and the parent's vectors are not kept.
        DiskFull: no space is left.
    """
    check_out(out)
    _refuse_measuring(parent, options.measure_neighbours)
    found = corpus.catalogue()
    on_reading(found.reading)
    _refuse_clashes(parent, found.images)
    _refuse_another_registration(parent, found.images)
    inputs: dict[str, Any] = {
        "parent": parent.index_id,
        "added": corpus.fingerprint(),
        "images": len(found.images),
        "limits": asdict(options.limits),
    }
    with one_thread(), open_workspace(out, inputs) as workspace:
        source = kept_source(parent.manifest.encoder, parent.encoder, parent.manifest.features, corpus, options.limits)
        stage = FeatureStage(workspace, found.images, source)
        encode_corpus(corpus, source, stage, options.bad_share_max, options.threads, progress)
        kept = stage.kept()
        added = stage.kept_images()
        change = Change(
            parent=parent,
            added=added,
            vectors=stage.vectors[kept],
            tokens=stage.tokens[kept],
            rows=_in_order(parent, added),
            rejected=stage.rejected,
            digest=_digest("added", parent, corpus_digest(added, stage.digests[kept])),
            threads=options.threads,
        )
        manifest = write_changed(workspace, change, options.measure_neighbours, progress)
        workspace.publish(out, frozenset(manifest.files) | {MANIFEST})
    return manifest


def remove_images(
    parent: Index, rows: NDArray[np.int64], out: Path, measure_neighbours: bool, progress: Progress
) -> Manifest:
    """Make an index of another, without some of its images.

    Args:
        parent: opened and verified.
        rows: int64, those to leave out.
        out: the folder to be.
        measure_neighbours: whether distances among neighbours, and so the temperature, are measured anew.
        progress: shows long steps.

    Raises:
        InvalidSettings: no image would be left, or distances are to be measured, and vectors are not kept.
        IndexRefused: there is something under the final name, or another process is at work there.
        DiskFull: no space is left.
    """
    check_out(out)
    _refuse_measuring(parent, measure_neighbours)
    kept = np.setdiff1d(np.arange(len(parent.images)), rows)
    if not len(kept):
        raise InvalidSettings(f"that removes all {len(parent.images):,} images; an index has to keep one")
    removed = [image.image_id for image in parent.images.images(np.unique(rows))]
    digest = _digest("removed", parent, removed)
    with one_thread(), open_workspace(out, {"parent": parent.index_id, "removed": digest}) as workspace:
        none = np.empty((0, parent.manifest.encoder.vector_size), parent.tokens.dtype)
        change = Change(parent, [], none, parent.tokens[:0], kept, [], digest)
        manifest = write_changed(workspace, change, measure_neighbours, progress)
        workspace.publish(out, frozenset(manifest.files) | {MANIFEST})
    return manifest


def rows_to_remove(parent: Index, image_ids: Collection[str], owner_ids: Collection[str]) -> NDArray[np.int64]:
    """Return the rows of images and of owners, ascending.

    Raises:
        InvalidSettings: none are named, or the index lacks one: a misspelt name would leave an image in.
    """
    if not image_ids and not owner_ids:
        raise InvalidSettings("no image is named; give --images FILE or --owner NAME")
    _refuse_unknown("images", set(image_ids) - parent.images.known_images(image_ids))
    _refuse_unknown("owners", set(owner_ids) - parent.images.known_owners(owner_ids))
    rows = [parent.images.rows_of_images(image_ids), parent.images.rows_of_owners(owner_ids)]
    return np.unique(np.concatenate(rows))


def _refuse_unknown(kind: str, unknown: Collection[str]) -> None:
    if unknown:
        raise InvalidSettings(f"the index has no {kind} {_named(unknown)}; correct the names, nothing was removed")


def _refuse_clashes(parent: Index, images: Sequence[TrainingImage]) -> None:
    if clashes := parent.images.known_images([image.image_id for image in images]):
        raise CorpusRefused(
            f"{len(clashes):,} of {len(images):,} images have an id that is in the index already: {_named(clashes)}; "
            "leave them out of the corpus, give them other ids, or take the old ones out by `gmv index remove`"
        )


def _refuse_another_registration(parent: Index, images: Sequence[TrainingImage]) -> None:
    before = parent.images.registered_by
    found = next((type(image.registered) for image in images if image.registered is not None), None)
    if before is not None and found is not None and before is not found:
        raise CorpusRefused(
            f"the index says by {_KINDS[before]} when images were registered, and the corpus by {_KINDS[found]}: nobody"
            f" could say which is earlier; give the added images {_KINDS[before]}"
        )


def _refuse_measuring(parent: Index, is_wanted: bool) -> None:
    if is_wanted and not isinstance(parent.recall, IntegerRecall):
        raise InvalidSettings(
            "--calibrate needs vectors, which an index of floats keeps in faiss's form alone; leave it out, or build "
            "the index anew"
        )


def _named(names: Collection[str]) -> str:
    more = f" and {len(names) - _NAMED_MAX:,} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(repr(name) for name in sorted(names)[:_NAMED_MAX]) + more


def _in_order(parent: Index, added: Sequence[TrainingImage]) -> NDArray[np.int64]:
    """Return the parent's rows, and after them those of the added, in order of image id: of their UTF-8 bytes."""
    theirs = pa.array([image.image_id for image in added], pa.large_string())
    image_ids = pa.concat_arrays([parent.images.image_ids, theirs])
    rows: NDArray[np.int64] = pc.sort_indices(image_ids).to_numpy().astype(np.int64)
    return rows


def _digest(what: str, parent: Index, change: str | Sequence[str]) -> str:
    return hashlib.sha256(orjson.dumps([what, parent.manifest.corpus.digest, change])).hexdigest()
