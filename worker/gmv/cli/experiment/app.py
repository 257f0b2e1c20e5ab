"""`gmv experiment`: the poster's experiments, run by the code that credits."""

from pathlib import Path
from typing import Annotated

import typer

from gmv.cli.experiment.asked import Asked, keep, laboratory_of
from gmv.cli.options import ConfigOption, JsonOption

app = typer.Typer(add_completion=False, no_args_is_help=True)

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


@app.command()
def ra1(
    dataset: DatasetOption = "digits",
    seeds: SeedsOption = "0",
    generators: GeneratorsOption = "biggan,diffusion",
    drawn: DrawnOption = 1_000,
    steps_share: StepsShareOption = 1.0,
    out: OutOption = Path("gmv-experiments"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Compare how near generated images are to those that generators were trained on, and to others (RA1)."""
    asked = Asked("ra1", dataset, seeds, generators, drawn, steps_share, out, config)
    laboratory = laboratory_of(asked)
    from gmv.cli.experiment.tables import ra1_view
    from gmv.cli.output import render
    from gmv.experiments.ra1 import run_ra1

    result = run_ra1(laboratory, asked.seed_numbers, drawn, asked.command)
    keep(asked, result)
    render(result, json, ra1_view)


@app.command()
def ra2(
    dataset: DatasetOption = "digits",
    seeds: SeedsOption = "0",
    generators: GeneratorsOption = "biggan,diffusion",
    drawn: DrawnOption = 1_000,
    steps_share: StepsShareOption = 1.0,
    out: OutOption = Path("gmv-experiments"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Compare the values of images that generators were trained on with those of others (RA2, the poster's Table 1)."""
    asked = Asked("ra2", dataset, seeds, generators, drawn, steps_share, out, config)
    laboratory = laboratory_of(asked)
    from gmv.cli.experiment.tables import ra2_view
    from gmv.cli.output import render
    from gmv.experiments.ra2 import run_ra2

    result = run_ra2(laboratory, asked.seed_numbers, drawn, asked.command)
    keep(asked, result)
    render(result, json, ra2_view)


@app.command()
def ra3(
    dataset: DatasetOption = "digits",
    seeds: SeedsOption = "0",
    generators: GeneratorsOption = "biggan,diffusion",
    drawn: DrawnOption = 1_000,
    steps_share: StepsShareOption = 1.0,
    out: OutOption = Path("gmv-experiments"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Compare what images are worth with how alike they are to what was generated, by class and by features (RA3)."""
    asked = Asked("ra3", dataset, seeds, generators, drawn, steps_share, out, config)
    laboratory = laboratory_of(asked)
    from gmv.cli.experiment.tables import ra3_view
    from gmv.cli.output import render
    from gmv.experiments.ra3 import run_ra3

    result = run_ra3(laboratory, asked.seed_numbers, drawn, asked.command)
    keep(asked, result)
    render(result, json, ra3_view)
