"""Options of commands that read a corpus: how its columns are called, and which of its splits is meant."""

from typing import Annotated

import typer

ImageIdColumnOption = Annotated[str, typer.Option("--image-id-column", metavar="NAME", help="Column of image ids.")]
OwnerIdColumnOption = Annotated[str, typer.Option("--owner-id-column", metavar="NAME", help="Column of owner ids.")]
ImageColumnOption = Annotated[str, typer.Option("--image-column", metavar="NAME", help="Parquet column of images.")]
WeightColumnOption = Annotated[
    str, typer.Option("--weight-column", metavar="NAME", help="Column of weights, which may be missing.")
]
RegisteredColumnOption = Annotated[
    str,
    typer.Option(
        "--registered-column",
        metavar="NAME",
        help="Column of dates or numbers that say when an image was registered, which may be missing.",
    ),
]
SplitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--split",
        metavar="NAME",
        help="Where a folder's files name splits: the one to read, several times for several, or all. Default: "
        "train, or the only one.",
    ),
]
