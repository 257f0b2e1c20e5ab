"""How often an encoder's nearest images are of the query's class: the figures of docs/encoders.md.

    python -m tools.measure_encoder LABELLED.parquet --encoder efficientnet-lite0

The corpus is Parquet with a column of classes. An index is built over a part of it, and asked for images of the rest.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from numpy.typing import NDArray

from gmv.corpus.open import open_corpus
from gmv.encoders.pretrained.backbones import choose_backbone
from gmv.encoders.pretrained.reduction import ReductionSettings
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index, open_index
from gmv.indexing.build import BuildOptions, build_index
from gmv.indexing.pretrained import Pretrained
from gmv.settings import Settings
from gmv.threads import limit_threads
from gmv.valuation.ranking import MirroredLook
from gmv.valuation.wasserstein.rerank import ExactReranker

CANDIDATES = 100
CONTRIBUTORS = 10
_DEFAULT = ReductionSettings()


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured.

    Attributes:
        encoder_id: of the index.
        exact: whether its features are the same on every processor.
        images: indexed.
        queries: left out of the index.
        c1_by_vector: C1@10, the share of the 10 first recalled that are of the query's class.
        c1_by_w1: the same of the 10 nearest by W1 among the recalled.
        c1_standard_error: of the latter, over queries.
        encode_ms: processor time of one image.
        rerank_ms: ditto of one query.
        bytes_per_image: of the index, less the network's files.
    """

    encoder_id: str
    exact: bool
    images: int
    queries: int
    c1_by_vector: float
    c1_by_w1: float
    c1_standard_error: float
    encode_ms: float
    rerank_ms: float
    bytes_per_image: float


@contextmanager
def _unseen(_description: str, _total: int | None, _unit: str) -> Iterator[Callable[[int], None]]:
    """A `Progress` that nobody watches."""
    yield lambda _: None


def measure(index: Index, indexed: Sequence[Any], queries: Sequence[bytes], classes: Sequence[Any]) -> Figures:
    """Ask an index for images of known classes.

    Args:
        index: its rows are all of `indexed`.
        indexed: classes of its rows.
        queries: image files.
        classes: of the queries.
    """
    settings = Settings()
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    pixels = [decode_image(file, limits) for file in queries]
    index.encoder.encode(pixels[:1])
    began = time.process_time()
    features = index.encoder.encode(pixels)
    encoded = time.process_time()
    recalled = index.recall.recall(features.vectors, CANDIDATES)
    looks = index.recall.recall_looks(features.vectors, CANDIDATES)
    mirrored: list[MirroredLook | None] = [None] * len(looks)
    if index.mirror is not None:
        turned = index.mirror.mirrored(features).tokens
        mirrored = [MirroredLook(each, look.mirrored_rows) for each, look in zip(turned, looks, strict=True)]
    rows, tokens = [look.rows for look in looks], list(features.tokens)
    reranker = ExactReranker(index.tokens, scale=index.token_scale)
    reranker.nearest(tokens[:1], rows[:1], CONTRIBUTORS, mirrored[:1])  # compiled, and not measured
    recall_done = time.process_time()
    ranked = reranker.nearest(tokens, rows, CONTRIBUTORS, mirrored)
    ended = time.process_time()
    by_w1 = _of_class([each.rows for each in ranked], indexed, classes)
    entry, files = index.manifest.encoder, index.manifest.files
    kept = sum(each.bytes for name, each in files.items() if entry.network is None or name not in entry.network.files)
    return Figures(
        encoder_id=entry.id,
        exact=entry.exact,
        images=len(indexed),
        queries=len(queries),
        c1_by_vector=round(float(_of_class(recalled, indexed, classes).mean()), 4),
        c1_by_w1=round(float(by_w1.mean()), 4),
        c1_standard_error=round(float(by_w1.std() / len(by_w1) ** 0.5), 4),
        encode_ms=round((encoded - began) / len(queries) * 1e3, 2),
        rerank_ms=round((ended - recall_done) / len(queries) * 1e3, 2),
        bytes_per_image=round(kept / len(indexed), 1),
    )


def _of_class(
    found: Sequence[NDArray[np.int64]], indexed: Sequence[Any], classes: Sequence[Any]
) -> NDArray[np.float64]:
    """Per query, the share of the first 10 rows that are of its class."""
    return np.array(
        [
            np.mean([indexed[row] == wanted for row in rows[:CONTRIBUTORS].tolist()])
            for rows, wanted in zip(found, classes, strict=True)
        ]
    )


def _build(table: pa.Table, folder: Path, encoder: str | None, reduction: ReductionSettings, out: Path) -> None:
    pq.write_table(table, folder / "corpus.parquet")
    settings = Settings()
    pretrained = Pretrained(choose_backbone(encoder), reduction) if encoder else None
    corpus = open_corpus([folder / "corpus.parquet"], settings.images.bytes_max)
    build_index(corpus, out, settings, BuildOptions(pretrained=pretrained), _unseen)


def main(
    corpus: Annotated[Path, typer.Argument(help="Parquet file with images and their classes.")],
    encoder: Annotated[str | None, typer.Option(help="As of gmv index build; default: the one that is learnt.")] = None,
    label: Annotated[str, typer.Option(help="Column of classes.")] = "label",
    images: Annotated[int, typer.Option(min=10, help="To index.")] = 10_000,
    queries: Annotated[int, typer.Option(min=1, help="To ask for, left out of the index.")] = 500,
    vector_size: int = _DEFAULT.vector_size,
    token_size: int = _DEFAULT.token_size,
    grid: int = _DEFAULT.grid,
    index: Annotated[
        Path | None, typer.Option(help="Keep the index here, or ask the one that is here of the same arguments.")
    ] = None,
) -> None:
    """Print the figures as JSON."""
    limit_threads()
    table = pq.read_table(corpus)
    drawn = np.random.default_rng(0).permutation(len(table))
    chosen = table.take(drawn[:images]).sort_by("image_id")  # the order of an index's rows
    asked = table.take(drawn[images : images + queries])
    files = [each["bytes"] for each in asked["image"].to_pylist()]
    reduction = ReductionSettings(vector_size=vector_size, token_size=token_size, grid=grid)
    with TemporaryDirectory() as folder:
        kept = index or Path(folder) / "index"
        if not kept.exists():
            _build(chosen, Path(folder), encoder, reduction, kept)
        figures = measure(open_index(kept, verify=False), chosen[label].to_pylist(), files, asked[label].to_pylist())
    typer.echo(orjson.dumps(asdict(figures), option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    typer.run(main)
