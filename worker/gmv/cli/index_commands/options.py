"""What `add` and `remove` take, and how they open the index that another is made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gmv.index.opened import Index

ParentArgument = Annotated[Path, typer.Argument(metavar="INDEX", help="The index to start from, which stays.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The index folder to be.")]
CalibrateOption = Annotated[
    bool,
    typer.Option(
        "--calibrate",
        help="Measure distances among neighbours, and so the temperature, anew, instead of keeping them. How many "
        "candidates are enough is kept in any case: that is measured by a build.",
    ),
]


def open_parent(index: Path) -> "Index":
    """Open an index and check every digest: what is copied from it gets new ones.

    Raises:
        IndexRefused: it is missing or altered.
    """
    from gmv.cli.warm import compile_kernel
    from gmv.index.opened import open_index

    compile_kernel()
    return open_index(index, verify=True)
