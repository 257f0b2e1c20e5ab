"""All features of a corpus, staged row by row in order of image id, and gone on with after a kill."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import Corpus, CorpusImage, ImageFile, TrainingImage
from gmv.encoders.port import Numbers
from gmv.errors import CorpusRefused, Poison
from gmv.indexing.feature_source import FeatureSource, Seen
from gmv.indexing.memory import let_go
from gmv.indexing.progress import Progress
from gmv.indexing.row_files import link, write_rows
from gmv.indexing.workspace import Workspace

_IMAGES_AT_ONCE = 512  # encoded between two entries of the journal: about a second of work to lose
_BYTES_AT_ONCE = 16 * 2**20  # of image files; 512 of 9 MB would be 4.6 GB
_REFUSED_NAMED_MAX = 5
_DIGEST_BYTES = 32


class Rejected(NamedTuple):
    """An image that was left out, and why."""

    image_id: str
    why: str


class FeatureStage:
    """Features of the images encoded so far; row r is the r-th image in order of id.

    Attributes:
        rows: the catalogue in order of image id.
        vectors: float32 [rows, D], or int8 of an exact encoder.
        tokens: float16 [rows, n, d], or int8 of an exact encoder.
        digests: uint8 [rows, 32], SHA-256 of each image file.
    """

    def __init__(
        self,
        workspace: Workspace,
        catalogue: Sequence[TrainingImage],
        source: FeatureSource,
    ) -> None:
        self.rows = sorted(catalogue, key=lambda image: image.image_id)
        self.corpus_order = [image.image_id for image in catalogue]
        self._row_of = {image.image_id: row for row, image in enumerate(self.rows)}
        self._workspace = workspace
        count, entry = len(catalogue), source.entry
        of_vectors, of_tokens = (np.float32, np.float16) if source.mirror is None else (np.int8, np.int8)
        self.vectors = workspace.staged("staged-vectors.npy", (count, entry.vector_size), of_vectors)
        self.tokens = workspace.staged("staged-tokens.npy", (count, *entry.tokens_shape), of_tokens)
        self.digests = workspace.staged("staged-digests.npy", (count, _DIGEST_BYTES), np.uint8)

    @property
    def done(self) -> int:
        """Images dealt with, in corpus order."""
        return sum(entry["images"] for entry in self._workspace.journal if "images" in entry)

    @property
    def rejected(self) -> list[Rejected]:
        """Images left out so far, in corpus order."""
        entries = (entry["rejected"] for entry in self._workspace.journal if "images" in entry)
        return [Rejected(*pair) for pairs in entries for pair in pairs]

    def kept(self) -> NDArray[np.int64]:
        """Return the rows that were not left out."""
        left_out = [self._row_of[image_id] for image_id, _ in self.rejected]
        return np.delete(np.arange(len(self.rows)), left_out)

    def kept_images(self) -> list[TrainingImage]:
        """Return the catalogue in order of image id, without those that were left out."""
        return [self.rows[row] for row in self.kept()]

    def kept_vectors(self) -> Numbers:
        """Return the vectors of the images that were not left out, [kept, D]; mapped where that is all."""
        kept = self.kept()
        vectors: Numbers = self.vectors if len(kept) == len(self.rows) else self.vectors[kept]
        return vectors

    def write_kept(self, staged: "np.memmap[Any, Any]", path: Path) -> None:
        """Give a staged file its name, or copy the rows that are kept. The staged file stays until all is published."""
        path.unlink(missing_ok=True)
        kept = self.kept()
        if len(kept) == len(self.rows):
            link(Path(str(staged.filename)), path)
            return
        write_rows(path, [staged], kept)

    def put(self, images: Sequence[CorpusImage], encoded: Sequence[Seen | Poison]) -> None:
        """Stage a batch of the corpus; on disk when this returns."""
        rejected: list[Rejected] = []
        for image, outcome in zip(images, encoded, strict=True):
            row = self._row_of[image.image_id]
            if isinstance(outcome, Poison):
                rejected.append(Rejected(image.image_id, outcome.detail))
            else:
                self.vectors[row], self.tokens[row] = outcome.vector, outcome.tokens
                self.digests[row] = np.frombuffer(outcome.digest, np.uint8)
        for array in (self.vectors, self.tokens, self.digests):
            array.flush()
            let_go(array)
        self._workspace.note({"images": len(images), "rejected": [list(each) for each in rejected]})


def encode_corpus(
    corpus: Corpus,
    source: FeatureSource,
    stage: FeatureStage,
    bad_share_max: float,
    threads: int,
    progress: Progress,
) -> None:
    """Encode what is not staged yet.

    Raises:
        CorpusRefused: more images are damaged than the share allows, or none is left, or the corpus changed meanwhile.
    """
    total = len(stage.rows)
    images = islice(corpus.images(), stage.done, None)
    with ThreadPoolExecutor(threads) as pool, progress("encoding", total, "images") as advance:
        advance(stage.done)
        while batch := _next_batch(images):
            _check_order(batch, stage)
            stage.put(batch, list(pool.map(lambda image: _encode(image, source), batch)))
            _check_rejected(stage.rejected, total, bad_share_max)
            advance(len(batch))
    _check_rejected(stage.rejected, total, bad_share_max)  # also of a build that goes on under another limit
    if stage.done != total:
        raise CorpusRefused(f"{corpus.name} changed while it was read; build again")


def _next_batch(images: Iterator[CorpusImage]) -> list[CorpusImage]:
    batch: list[CorpusImage] = []
    size = 0
    for image in images:
        batch.append(image)
        size += len(image.content) if isinstance(image, ImageFile) else 0
        if len(batch) == _IMAGES_AT_ONCE or size >= _BYTES_AT_ONCE:
            break
    return batch


def _encode(image: CorpusImage, source: FeatureSource) -> Seen | Poison:
    try:
        return source.see(image)
    except Poison as poison:
        return poison


def _check_order(batch: Sequence[CorpusImage], stage: FeatureStage) -> None:
    expected = stage.corpus_order[stage.done : stage.done + len(batch)]
    if [image.image_id for image in batch] != expected:
        raise CorpusRefused("the corpus changed while it was read; build again")


def _check_rejected(rejected: Sequence[Rejected], total: int, share_max: float) -> None:
    if len(rejected) <= share_max * total and len(rejected) < total:
        return
    named = "; ".join(f"{image_id}: {why}" for image_id, why in rejected[:_REFUSED_NAMED_MAX])
    raise CorpusRefused(
        f"{len(rejected):,} of {total:,} images are damaged or not allowed, more than {share_max:.1%} ({named}); "
        "repair them, or raise --bad-share-max to leave them out"
    )
