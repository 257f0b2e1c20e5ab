"""`gmv index recall`: of the true nearest training images, how many an index recalls, by given images."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import CandidatesOption, ConfigOption, JsonOption, load_settings

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.bench.recall import GivenImage, RecallBench


def recall(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Index folder.")],
    queries: Annotated[
        Path, typer.Argument(metavar="QUERIES", help="Images that are not in it: a folder of them, or Parquet.")
    ],
    queries_max: Annotated[
        int, typer.Option("--queries-max", metavar="N", min=1, help="The first so many are taken.")
    ] = 100,
    candidates: CandidatesOption = None,
    candidates_max: Annotated[
        int, typer.Option("--candidates-max", metavar="M", min=1, max=10_000, help="Recall is told up to this M.")
    ] = 1_000,
    target_recall: Annotated[
        float, typer.Option("--target-recall", metavar="SHARE", min=0.01, max=1, help="Of the true nearest ten.")
    ] = 0.95,
    label_column: Annotated[
        str, typer.Option("--label-column", metavar="NAME", help="Parquet column of what is on an image.")
    ] = "label",
    corpus: Annotated[
        list[Path] | None,
        typer.Option(
            "--corpus", metavar="PATH", help="Parquet that the index was built from, for the labels of its images."
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="A picture of it; replaced.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """See how many of the nearest ten by exact distance recall finds, by ranking all training images for each image.

    Takes about a second an image over 50,000 training images.
    """
    settings = load_settings(config, index=index, candidates=candidates)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.bench.recall import bench_recall
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import progress, render
    from gmv.corpus.labels import labels_of
    from gmv.imaging.decode import ImageLimits

    images = _read(queries, label_column, queries_max)
    training_labels = labels_of(corpus, label_column) if corpus else {}
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    from gmv.assembly.parts import method_of

    opened = open_verified(settings)
    with progress("ranking", len(images), "images") as advance:
        result = bench_recall(
            opened,
            images,
            limits,
            training_labels,
            method_of(settings, opened).candidates,
            candidates_max,
            target_recall,
            advance,
        )
    if plot is not None:
        from gmv.cli.out_file import replacing
        from gmv.dashboards.recall_curve import recall_curve

        with replacing(plot, "--plot") as file:
            file.write(recall_curve(result.recall, result.candidates).encode())
    render(result, json, _view)


def _read(path: Path, label_column: str, count: int) -> "Sequence[GivenImage]":
    """Read the first images, with their labels where a Parquet file has such a column."""
    from gmv.bench.recall import GivenImage
    from gmv.corpus.labels import label_rows
    from gmv.events.outgoing import PARQUET_SUFFIX, check_path, images_of

    folder = check_path(path)
    images = list(islice(images_of(path, folder), count))
    is_parquet = folder is None and path.suffix.lower() == PARQUET_SUFFIX
    labels = chain(label_rows(path, label_column) if is_parquet else (), [None] * len(images))
    return [GivenImage(name, content, label) for (name, content), label in zip(images, labels, strict=False)]


def _view(bench: "RecallBench") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import heading, table

    (curve,) = bench.recall.curves
    yield heading(
        f"The ten nearest of {bench.training_images:,} training images to each of {bench.queries:,} images given"
    )
    yield table(
        None,
        ["candidates", "of the nearest ten", "interval of 95 %"],
        [
            [f"{point.candidates:,}", f"{point.recall:.1%}", f"{point.least:.1%} to {point.most:.1%}"]
            for point in curve.points
        ],
        numbers=["candidates", "of the nearest ten", "interval of 95 %"],
    )
    yield bench.recall.sentence()
    if (labels := bench.labels) is not None:
        yield (
            f"same label as the image, of ten: {labels.recalled:.1%} as recalled, {labels.re_ranked:.1%} re-ranked of "
            f"{bench.candidates:,}, {labels.of_all:.1%} of all training images ({labels.queries:,} images with a label)"
        )
    yield ", ".join(f"{stage} {spent:.3g} ms" for stage, spent in bench.milliseconds.items()) + " an image"
    yield from (f"left out: {name}: {why}" for name, why in bench.refused.items())
