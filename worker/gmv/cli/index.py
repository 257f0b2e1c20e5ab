"""`gmv index`: the index of a training corpus, built, fetched, looked at and checked."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.index_recall import recall
from gmv.cli.options import ConfigOption, JsonOption, load_settings

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.corpus.reading import Reading
    from gmv.index.manifest import (
        CalibratedCandidates,
        CorpusEntry,
        Defaults,
        EncoderEntry,
        FileEntry,
        Manifest,
        MeasuredNeighbours,
        RecallEntry,
    )

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(recall)

_SHOWN = (20, 50, 100, 200, 500, 1_000)
"""Numbers of candidates for which recall is told, of those that were tried."""

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Index folder.")]


@dataclass(frozen=True, slots=True)
class ShownIndex:
    """An index by its id, where it is, and what its `Manifest` says; just built, also what was read of its corpus."""

    index_id: str
    path: Path
    format: str
    format_version: int
    encoder: "EncoderEntry"
    corpus: "CorpusEntry"
    recall: "RecallEntry"
    neighbours: "MeasuredNeighbours | None"
    candidates: "CalibratedCandidates | None"
    defaults: "Defaults"
    files: "Mapping[str, FileEntry]"
    reading: "Reading | None" = None


@dataclass(frozen=True, slots=True)
class VerifiedIndex:
    """An index that was read through, and how many files it has."""

    index_id: str
    files: int
    verified: bool


@app.command()
def build(
    context: typer.Context,
    corpus: Annotated[
        list[Path],
        typer.Argument(
            metavar="CORPUS...",
            help="Parquet files, patterns or a folder of them (columns image_id, owner_id, image and, if wanted, "
            "weight), or a folder of images with metadata.csv or metadata.jsonl (columns file_name, owner_id and, if "
            "wanted, image_id and weight).",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The index folder to be.")],
    factory: Annotated[
        str | None, typer.Option("--factory", metavar="TEXT", help="faiss factory string. Default: by corpus size.")
    ] = None,
    bad_share_max: Annotated[
        float,
        typer.Option("--bad-share-max", metavar="SHARE", min=0, max=1, help="Of images that may be damaged."),
    ] = 0.01,
    working_size: Annotated[
        int, typer.Option("--working-size", metavar="PIXELS", min=16, max=256, help="Side images are encoded at.")
    ] = 32,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME|PATH",
            help="A pretrained network in place of the encoder that is learnt: efficientnet-lite0, an .onnx file with "
            "its recipe beside it, or a local folder of Hugging Face's (docs/encoders.md).",
        ),
    ] = None,
    vector_size: Annotated[
        int,
        typer.Option("--vector-size", metavar="D", min=1, max=4_096, help="A pretrained network's vector, at most."),
    ] = 256,
    token_size: Annotated[
        int, typer.Option("--token-size", metavar="D", min=3, max=1_024, help="A pretrained network's token, at most.")
    ] = 64,
    grid: Annotated[
        int, typer.Option("--grid", metavar="N", min=1, max=32, help="A pretrained network's tokens, N x N at most.")
    ] = 8,
    image_id_column: Annotated[
        str, typer.Option("--image-id-column", metavar="NAME", help="Column of image ids.")
    ] = "image_id",
    owner_id_column: Annotated[
        str, typer.Option("--owner-id-column", metavar="NAME", help="Column of owner ids.")
    ] = "owner_id",
    image_column: Annotated[
        str, typer.Option("--image-column", metavar="NAME", help="Parquet column of images.")
    ] = "image",
    weight_column: Annotated[
        str, typer.Option("--weight-column", metavar="NAME", help="Column of weights, which may be missing.")
    ] = "weight",
    encoder_id: Annotated[
        str | None,
        typer.Option(
            "--encoder-id",
            metavar="TEXT",
            help="The Parquet files hold features of this encoder, not images: columns vector (list of numbers) and "
            "tokens (list of lists). Events then have to bring theirs.",
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split",
            metavar="NAME",
            help="Where a folder's files name splits: the one to read, several times for several, or all. Default: "
            "train, or the only one.",
        ),
    ] = None,
    target_recall: Annotated[
        float,
        typer.Option("--target-recall", metavar="SHARE", min=0.01, max=1, help="Of the true nearest, by candidates."),
    ] = 0.95,
    candidates_max: Annotated[
        int, typer.Option("--candidates-max", metavar="M", min=1, max=10_000, help="The most candidates tried for it.")
    ] = 1_000,
    threads: Annotated[
        int, typer.Option("--threads", metavar="N", min=1, help="That encode and rank. Default: all cores.")
    ] = os.cpu_count() or 1,
    force: Annotated[bool, typer.Option("--force", help="Replace the index that is there.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Build an index: learn the encoder from the corpus, or take a network, encode every image, train recall.

    Interrupted, it goes on from there when it is run again. Nothing has the final name before all is done.
    """
    settings = load_settings(config)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.output import progress, render, tell_who_watches
    from gmv.corpus.open import open_corpus
    from gmv.corpus.parquet_files import Columns
    from gmv.corpus.reading import Reading
    from gmv.encoders.fitting import FittingSettings
    from gmv.index.manifest import index_id_of
    from gmv.indexing.build import BuildOptions, build_index

    pretrained = None
    _refuse_idle(context, ("working_size",) if encoder else ("vector_size", "token_size", "grid"), encoder)
    if encoder is not None:
        from gmv.encoders.pretrained.backbones import choose_backbone
        from gmv.encoders.pretrained.reduction import ReductionSettings
        from gmv.indexing.pretrained import Pretrained

        reduction = ReductionSettings(vector_size=vector_size, token_size=token_size, grid=grid)
        pretrained = Pretrained(choose_backbone(encoder), reduction)
    columns = Columns(image_id_column, owner_id_column, image_column, weight_column)
    read: list[Reading] = []

    def on_reading(reading: Reading) -> None:
        read.append(reading)
        for sentence in reading.sentences():
            tell_who_watches(sentence)

    manifest = build_index(
        open_corpus(corpus, settings.images.bytes_max, columns, encoder_id, split or ()),
        out,
        settings,
        BuildOptions(
            factory,
            bad_share_max,
            FittingSettings(working_size=working_size),
            threads,
            force,
            pretrained,
            target_recall,
            candidates_max,
        ),
        progress,
        on_reading,
    )
    render(_shown(out, manifest, index_id_of(manifest.to_bytes()), read[0]), json, _view)


def _refuse_idle(context: typer.Context, names: tuple[str, ...], encoder: str | None) -> None:
    """See that no option was given that is of the other kind of encoder.

    Raises:
        InvalidSettings: one was.
    """
    from gmv.errors import InvalidSettings

    said = f"names {encoder}" if encoder else "names none"
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            flag, other = (
                f"--{name.replace('_', '-')}",
                "the encoder that is learnt" if encoder else "a pretrained network",
            )
            raise InvalidSettings(f"{flag} is about {other}, and --encoder {said}; leave {flag} out")


@app.command()
def info(folder: FolderArgument, json: JsonOption = False) -> None:
    """Show what an index holds, without reading it through."""
    from gmv.cli.output import render
    from gmv.index.manifest import read_manifest

    render(_shown(folder, *read_manifest(folder)), json, _view)


@app.command()
def verify(folder: FolderArgument, json: JsonOption = False) -> None:
    """Read an index through and compare every digest; exits with 11 if a bit differs."""
    from gmv.cli.output import render
    from gmv.index.opened import open_index

    index = open_index(folder, verify=True)
    render(VerifiedIndex(index.index_id, len(index.manifest.files), True), json, _view_verified)


@app.command()
def fetch(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="Published index folder: https://…, s3://…, gs://…, abfs://… or what fsspec reads."
        ),
    ],
    digest: Annotated[
        str, typer.Option("--digest", metavar="ID", help="The index id it must have; `gmv index info` prints it.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The index folder to be.")],
    json: JsonOption = False,
) -> None:
    """Fetch an index from an object store or a web server, and check every digest.

    Interrupted, it goes on from there when it is run again; an index that is there already is kept if it is the same.
    """
    from gmv.cli.output import progress, render
    from gmv.indexing.fetch import fetch_index

    render(_shown(out, fetch_index(url, digest, out, progress), digest), json, _view)


def _shown(folder: Path, manifest: "Manifest", index_id: str, reading: "Reading | None" = None) -> ShownIndex:
    return ShownIndex(
        index_id,
        folder,
        manifest.format,
        manifest.format_version,
        manifest.encoder,
        manifest.corpus,
        manifest.recall,
        manifest.neighbours,
        manifest.candidates,
        manifest.defaults,
        manifest.files,
        reading,
    )


def _view_verified(index: VerifiedIndex) -> Iterator[str]:
    yield f"index {index.index_id}: {index.files} files are as they were built"


def _loss(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """What faiss loses against exact search by the same vectors."""
    if (measured := index.recall.measured) is not None:
        shares = (measured.nearest_1, measured.nearest_10, measured.nearest_100)
        yield "nearest found", "{:.1%}, of 10 {:.1%}, of 100 {:.1%}".format(*shares)
        yield "measured on", f"{measured.queries:,} training images, {measured.candidates:,} recalled for each"


def _candidates(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """How many candidates are enough."""
    if (measured := index.candidates) is not None:
        yield "candidates", measured.sentence()
        for curve in measured.curves:
            shown = (point for point in curve.points if point.candidates in _SHOWN)
            found = ", ".join(f"{point.recall:.1%} by {point.candidates:,}" for point in shown)
            yield f"of {curve.queries:,} {curve.kind}", found


def _shares(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """How an event's credit will be shared, by the example of the corpus itself."""
    yield "temperature", f"{index.defaults.temperature:g}, unless settings name another"
    if (measured := index.neighbours) is not None and measured.queries:
        effective = f"{measured.effective_contributors:.1f} effective contributors"
        yield "shares at it", f"{measured.top_share:.0%} to the nearest of ten, {effective}"
        yield "W1 to the nearest", f"{measured.nearest_1:.4g}, to the tenth {measured.nearest_10:.4g}, in the median"


def _network(encoder: "EncoderEntry") -> Iterator[tuple[str, str]]:
    if encoder.network is not None:
        yield "network", f"{encoder.network.name}, licence of its weights: {encoder.network.licence}"
        yield "same features", "on one machine; another may compute other last bits, so receipts hold their digest"


def _view(index: ShownIndex) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import facts
    from gmv.index.manifest import REJECTED_FILE

    if index.reading is not None:
        yield from index.reading.sentences()
    tokens, size = index.encoder.tokens_shape
    yield facts(
        f"Index {index.path}",
        [
            ("index id", index.index_id),
            ("training images", index.corpus.images),
            ("owners", index.corpus.owners),
            ("left out", f"{index.corpus.rejected:,}, named in {index.path / REJECTED_FILE}"),
            ("encoder", index.encoder.id),
            *_network(index.encoder),
            ("features", f"vector of {index.encoder.vector_size}, {tokens} tokens of {size}"),
            ("recall by", index.recall.factory),
            *_loss(index),
            *_candidates(index),
            *_shares(index),
            ("bytes", sum(entry.bytes for entry in index.files.values())),
        ],
    )
