"""`gmv index`: the index of a training corpus, built, grown, fetched, looked at and checked."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.copies.duplicates import duplicates
from gmv.cli.corpus_options import (
    ImageColumnOption,
    ImageIdColumnOption,
    OwnerIdColumnOption,
    RegisteredColumnOption,
    SplitOption,
    WeightColumnOption,
)
from gmv.cli.encoder_options import (
    EncoderOption,
    GridOption,
    PoolTokensOption,
    TokenSizeOption,
    VectorSizeOption,
    choose_pretrained,
    choose_reduction,
)
from gmv.cli.index_commands.add import add
from gmv.cli.index_commands.recall import recall
from gmv.cli.index_commands.remove import remove
from gmv.cli.options import ConfigOption, JsonOption, load_settings
from gmv.cli.rights.summary import summary
from gmv.cli.shown_index import shown, view

if TYPE_CHECKING:
    from gmv.corpus.port import Corpus

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(recall)
app.command()(add)
app.command()(remove)
app.command()(duplicates)
app.command()(summary)

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Index folder.")]


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
            "weight and registered), or a folder of images with metadata.csv or metadata.jsonl (columns file_name, "
            "owner_id and, if wanted, image_id, weight and registered).",
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
    encoder: EncoderOption = None,
    vector_size: VectorSizeOption = 256,
    token_size: TokenSizeOption = None,
    grid: GridOption = 8,
    pool_tokens: PoolTokensOption = None,
    image_id_column: ImageIdColumnOption = "image_id",
    owner_id_column: OwnerIdColumnOption = "owner_id",
    image_column: ImageColumnOption = "image",
    weight_column: WeightColumnOption = "weight",
    registered_column: RegisteredColumnOption = "registered",
    encoder_id: Annotated[
        str | None,
        typer.Option(
            "--encoder-id",
            metavar="TEXT",
            help="The Parquet files hold features of this encoder, not images: columns vector (list of numbers) and "
            "tokens (list of lists). Events then have to bring theirs.",
        ),
    ] = None,
    split: SplitOption = None,
    target_recall: Annotated[
        float,
        typer.Option("--target-recall", metavar="SHARE", min=0.01, max=1, help="Of the true nearest, by candidates."),
    ] = 0.95,
    candidates_max: Annotated[
        int, typer.Option("--candidates-max", metavar="M", min=1, max=10_000, help="The most candidates tried for it.")
    ] = 150,
    threads: Annotated[
        int, typer.Option("--threads", metavar="N", min=1, help="That encode and rank. Default: all cores.")
    ] = os.cpu_count() or 1,
    rights: Annotated[
        Path | None,
        typer.Option(
            "--rights",
            metavar="FILE",
            help="First write an owners file of images that opt out, as `gmv rights` does; none is replaced.",
        ),
    ] = None,
    find_copies: Annotated[
        bool | None,
        typer.Option(
            "--find-copies/--no-find-copies",
            help="Whether near copies are found and grouped: 1.6 ms an image of 50,000, and of more images longer. "
            "Default: of images, not of features, for which nobody has measured what a copy is.",
        ),
    ] = None,
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
    from gmv.encoders.exact.fitting import FittingSettings
    from gmv.index.manifest import index_id_of
    from gmv.indexing.build import BuildOptions, build_index

    pretrained = choose_pretrained(context, encoder, vector_size, token_size, grid)
    reduction = choose_reduction(context, encoder_id, encoder, pool_tokens, token_size)
    columns = Columns(image_id_column, owner_id_column, image_column, weight_column, registered=registered_column)
    read: list[Reading] = []

    def on_reading(reading: Reading) -> None:
        read.append(reading)
        for sentence in reading.sentences():
            tell_who_watches(sentence)

    opened = open_corpus(corpus, settings.images.bytes_max, columns, encoder_id, split or ())
    if rights is not None:
        _write_rights(rights, opened, encoder_id)
    manifest = build_index(
        opened,
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
            reduction,
            encoder_id is None if find_copies is None else find_copies,
        ),
        progress,
        on_reading,
    )
    render(shown(out, manifest, index_id_of(manifest.to_bytes()), read[0]), json, view)


@app.command()
def info(folder: FolderArgument, json: JsonOption = False) -> None:
    """Show what an index holds, without reading it through."""
    from gmv.cli.output import render
    from gmv.index.manifest import read_manifest

    render(shown(folder, *read_manifest(folder)), json, view)


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

    render(shown(out, fetch_index(url, digest, out, progress), digest), json, view)


def _write_rights(out: Path, corpus: "Corpus", encoder_id: str | None) -> None:
    from gmv.cli.out_file import place_of, replacing
    from gmv.cli.output import tell_who_watches
    from gmv.cli.rights.reading import opt_out_lines, scanned
    from gmv.errors import InvalidSettings
    from gmv.rights.scanning import Told

    if encoder_id is not None:
        raise InvalidSettings("--rights reads image files, and the corpus brings features; leave one of both out")
    target = place_of(out, "--rights")
    tally = scanned(corpus, Told())
    lines = opt_out_lines(tally)
    if not target.exists():
        with replacing(out, "--rights") as file:
            file.write(lines)
    elif target.read_bytes() != lines:  # what a killed build wrote is the same when it is run again
        raise InvalidSettings(
            f"--rights {out} is there already, and holds other lines, which may have been reviewed; give another "
            "name, or leave --rights out to keep it"
        )
    tell_who_watches(
        f"{len(tally.opted_out):,} of {tally.images:,} images opt out of training or data mining: review {out}; "
        f"nothing is applied until --owners names it; {len(tally.unread):,} were not read whole: see `gmv rights`"
    )


def _view_verified(index: VerifiedIndex) -> Iterator[str]:
    yield f"index {index.index_id}: {index.files} files are as they were built"
