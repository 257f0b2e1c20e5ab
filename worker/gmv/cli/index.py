"""`gmv index`: the index of a training corpus, built, fetched, looked at and checked."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmv.cli.options import ConfigOption, JsonOption, load_settings

if TYPE_CHECKING:
    from gmv.index.manifest import Manifest

app = typer.Typer(no_args_is_help=True, add_completion=False)

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Index folder.")]


@app.command()
def build(
    corpus: Annotated[
        Path,
        typer.Argument(
            metavar="CORPUS",
            help="A Parquet file or a folder of them (columns image_id, owner_id, image and, if wanted, weight), or a "
            "folder of images with metadata.csv (columns file_name, owner_id and, if wanted, image_id and weight).",
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
    image_id_column: Annotated[
        str, typer.Option("--image-id-column", metavar="NAME", help="Parquet column of image ids.")
    ] = "image_id",
    owner_id_column: Annotated[
        str, typer.Option("--owner-id-column", metavar="NAME", help="Parquet column of owner ids.")
    ] = "owner_id",
    image_column: Annotated[
        str, typer.Option("--image-column", metavar="NAME", help="Parquet column of images.")
    ] = "image",
    weight_column: Annotated[
        str, typer.Option("--weight-column", metavar="NAME", help="Parquet column of weights, which may be missing.")
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
    threads: Annotated[
        int, typer.Option("--threads", metavar="N", min=1, help="That encode images. Default: all cores.")
    ] = os.cpu_count() or 1,
    force: Annotated[bool, typer.Option("--force", help="Replace the index that is there.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Build an index: learn the encoder from the corpus, encode every image, train recall.

    Interrupted, it goes on from there when it is run again. Nothing stands under the final name before all is done.
    """
    settings = load_settings(config)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.output import print_result, progress
    from gmv.corpus.open import open_corpus
    from gmv.corpus.parquet_files import Columns
    from gmv.encoders.fitting import FittingSettings
    from gmv.index.manifest import index_id_of
    from gmv.indexing.build import BuildOptions, build_index

    columns = Columns(image_id_column, owner_id_column, image_column, weight_column)
    manifest = build_index(
        open_corpus(corpus, settings.images.bytes_max, columns, encoder_id),
        out,
        settings,
        BuildOptions(factory, bad_share_max, FittingSettings(working_size=working_size), threads, force),
        progress,
    )
    index_id = index_id_of(manifest.to_bytes())
    print_result(_plain(out, manifest, index_id), json, lambda: _layout(out, manifest, index_id))


@app.command()
def info(folder: FolderArgument, json: JsonOption = False) -> None:
    """Show what an index holds, without reading it through."""
    from gmv.cli.output import print_result
    from gmv.index.manifest import read_manifest

    manifest, index_id = read_manifest(folder)
    print_result(_plain(folder, manifest, index_id), json, lambda: _layout(folder, manifest, index_id))


@app.command()
def verify(folder: FolderArgument, json: JsonOption = False) -> None:
    """Read an index through and compare every digest; exits with 11 if a bit differs."""
    from gmv.cli.output import print_result
    from gmv.index.opened import open_index

    index = open_index(folder, verify=True)
    files = len(index.manifest.files)
    result = {"index_id": index.index_id, "files": files, "verified": True}
    print_result(result, json, lambda: f"index {index.index_id}: {files} files are as they were built")


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
    from gmv.cli.output import print_result, progress
    from gmv.indexing.fetch import fetch_index

    manifest = fetch_index(url, digest, out, progress)
    print_result(_plain(out, manifest, digest), json, lambda: _layout(out, manifest, digest))


def _plain(folder: Path, manifest: "Manifest", index_id: str) -> dict[str, Any]:
    return {"index_id": index_id, "path": folder, **manifest.model_dump(mode="json")}


def _layout(folder: Path, manifest: "Manifest", index_id: str) -> Any:
    from gmv.cli.output import table
    from gmv.index.manifest import REJECTED_FILE

    measured = manifest.recall.measured
    tokens, size = manifest.encoder.tokens_shape
    rows: list[tuple[str, object]] = [
        ("index id", index_id),
        ("training images", f"{manifest.corpus.images:,}"),
        ("owners", f"{manifest.corpus.owners:,}"),
        ("left out", f"{manifest.corpus.rejected:,}, named in {folder / REJECTED_FILE}"),
        ("encoder", manifest.encoder.id),
        ("features", f"vector of {manifest.encoder.vector_size}, {tokens} tokens of {size}"),
        ("recall by", manifest.recall.factory),
        (
            "nearest found",
            f"{measured.nearest_1:.1%}, of 10 {measured.nearest_10:.1%}, of 100 {measured.nearest_100:.1%}",
        ),
        ("measured on", f"{measured.queries:,} training images, {measured.candidates:,} recalled for each"),
        ("bytes", f"{sum(entry.bytes for entry in manifest.files.values()):,}"),
    ]
    return table(f"Index {folder}", ["", ""], rows)
