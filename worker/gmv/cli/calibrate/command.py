"""`gmv calibrate`: where credit goes at several temperatures, by images made of known training images."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.corpus_options import (
    ImageColumnOption,
    ImageIdColumnOption,
    OwnerIdColumnOption,
    SplitOption,
    WeightColumnOption,
)
from gmv.cli.options import CandidatesOption, ConfigOption, ContributorsOption, JsonOption, TemperatureOption

if TYPE_CHECKING:
    from gmv.calibrate.measure import Calibrated
    from gmv.corpus.port import Corpus
    from gmv.index.opened import Index
    from gmv.settings import Settings

_FORMATS: Final = {".svg": "svg", ".png": "png"}


def calibrate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="CORPUS…|INDEX",
            help="A corpus as `gmv index build` takes it, of which an index is built for this alone; or an index "
            "folder, with --corpus.",
        ),
    ],
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", metavar="PATH", help="What the index was built from; its files are compared."),
    ] = None,
    queries: Annotated[
        int, typer.Option("--queries", metavar="N", min=1, max=10_000, help="Made of each of the two kinds.")
    ] = 300,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="A picture of it, .svg or .png; replaced.")
    ] = None,
    candidates: CandidatesOption = None,
    contributors: ContributorsOption = None,
    temperature: TemperatureOption = None,
    image_id_column: ImageIdColumnOption = "image_id",
    owner_id_column: OwnerIdColumnOption = "owner_id",
    image_column: ImageColumnOption = "image",
    weight_column: WeightColumnOption = "weight",
    split: SplitOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """See which share of credit lands on true sources and owners, at the index's temperature and at others.

    Images are made of training images: mixes of one to three, and altered copies of one (cropped, recoloured, half of
    them mirrored), so that their sources are known. They are attributed as a worker does it. Nothing is written to the
    index; 300 queries of each kind take about a minute over 50,000 images.
    """
    from gmv.cli.options import load_settings

    settings = load_settings(config, candidates=candidates, contributors=contributors, temperature=temperature)
    image_format = _format_of(plot)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.calibrate.tables import view
    from gmv.cli.output import render
    from gmv.corpus.open import open_corpus
    from gmv.corpus.parquet_files import Columns

    folder, named = _told_apart(paths, corpus)
    columns = Columns(image_id_column, owner_id_column, image_column, weight_column)
    opened = open_corpus(named, settings.images.bytes_max, columns, splits=split or ())
    with _index_of(folder, opened, settings) as index:
        found = _measured(index, opened, settings, queries)
    render(found, json, view)  # first: a picture that cannot be written costs no result
    if plot is not None:
        from gmv.cli.out_file import replacing
        from gmv.dashboards.temperature_curve import temperature_curve

        with replacing(plot, "--plot") as file:
            file.write(temperature_curve(found, image_format))


def _format_of(plot: Path | None) -> str:
    from gmv.errors import InvalidSettings

    if plot is None:
        return ""
    if plot.suffix.lower() not in _FORMATS:
        raise InvalidSettings(f"--plot {plot}: pictures are drawn as .svg or .png; give a name that ends so")
    return _FORMATS[plot.suffix.lower()]


def _told_apart(paths: list[Path], corpus: list[Path] | None) -> tuple[Path | None, list[Path]]:
    """Return the index folder, if one is given, and the paths of the corpus."""
    from gmv.errors import InvalidSettings
    from gmv.index.manifest import MANIFEST

    indexes = [path for path in paths if (path / MANIFEST).is_file()]
    if not indexes:
        if corpus:
            raise InvalidSettings(f"{paths[0]} is no index, so --corpus is not needed; name one of them")
        return None, paths
    if len(paths) > 1:
        raise InvalidSettings(f"{indexes[0]} is an index; give it alone, and its corpus by --corpus")
    if not corpus:
        raise InvalidSettings(f"{indexes[0]} is an index, which holds no pictures; name its corpus by --corpus PATH")
    return indexes[0], corpus


@contextmanager
def _index_of(folder: Path | None, corpus: "Corpus", settings: "Settings") -> "Iterator[Index]":
    """Open the index, or build one that is gone afterwards."""
    from gmv.cli.indexes import open_verified

    if folder is not None:
        yield open_verified(settings.model_copy(update={"index": folder}))
        return
    from gmv.cli.output import progress
    from gmv.indexing.build import BuildOptions, build_index
    from gmv.temporary import TemporaryFolder

    with TemporaryFolder("calibrate") as temporary:
        built = temporary / "index"
        build_index(corpus, built, settings, BuildOptions(threads=os.cpu_count() or 1), progress)
        yield open_verified(settings.model_copy(update={"index": built}))


def _measured(index: "Index", corpus: "Corpus", settings: "Settings", count: int) -> "Calibrated":
    from prometheus_client import CollectorRegistry

    from gmv.assembly.parts import assemble_attributor, method_of
    from gmv.calibrate.measure import measure
    from gmv.calibrate.pictures import read_pictures
    from gmv.calibrate.queries import draw, make_queries
    from gmv.cli.output import progress
    from gmv.imaging.decode import ImageLimits
    from gmv.monitoring.catalogue import Metrics
    from gmv.monitoring.telemetry import StageClock
    from gmv.valuation.owners import Ownership

    sources = draw(len(index.images), count)
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    with progress("reading the corpus", len(index.images), "images") as advance:
        pictures = read_pictures(corpus, index, sources.rows, limits, advance)
    queries = make_queries(sources, pictures)
    attributor = assemble_attributor(index, settings, Ownership(), StageClock(), Metrics(CollectorRegistry()))
    with progress("attributing", 2 * count, "queries") as advance:
        return measure(index, attributor, queries, method_of(settings, index).temperature, advance)
