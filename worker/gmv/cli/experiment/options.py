"""Options that several commands of `gmv experiment` have."""

from pathlib import Path
from typing import Annotated

import typer

DatasetOption = Annotated[
    str,
    typer.Option(
        "--dataset",
        metavar="NAME|FILE",
        help="digits (scikit-learn's), or a Parquet file of square images with the columns image and label.",
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Where everything is made, and looked for again.")
]
SeedsOption = Annotated[
    str, typer.Option("--seeds", metavar="N,M,…", help="Each with a split, a training and noise of its own.")
]
GeneratorsOption = Annotated[str, typer.Option("--generators", metavar="NAME,…", help="biggan, diffusion, or both.")]
DrawnOption = Annotated[int, typer.Option("--drawn", metavar="N", min=1, help="Images that each generator draws.")]
StepsShareOption = Annotated[
    float,
    typer.Option("--steps-share", metavar="SHARE", min=0, help="Of each generator's training: 0.1 for a look."),
]
SizeOption = Annotated[
    str,
    typer.Option(
        "--size",
        metavar="full|small",
        help="Of generators for 32 x 32 pixels: as in their papers, for a GPU, or small ones for a CPU.",
    ),
]
GuidanceOption = Annotated[
    float | None,
    typer.Option("--guidance", metavar="W", min=0, help="Weight w of the diffusion's guidance by the class."),
]
ImagesOption = Annotated[
    int | None,
    typer.Option("--images", metavar="N", min=1, help="Of the data set, as many of each class. Default: all."),
]
