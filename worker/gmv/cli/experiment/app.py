"""`gmv experiment`: the poster's experiments, and fidelity beyond it, run by the code that credits."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from gmv.cli.experiment.asked import Asked, Generating, images_of, keep, laboratory_of, plan_of, prepare
from gmv.cli.experiment.options import (
    DatasetOption,
    DrawnOption,
    GeneratorsOption,
    GuidanceOption,
    ImagesOption,
    OutOption,
    SeedsOption,
    SizeOption,
    StepsShareOption,
)
from gmv.cli.options import ConfigOption, JsonOption

app = typer.Typer(add_completion=False, no_args_is_help=True)

Run: TypeAlias = Callable[..., Any]
"""Runs an experiment in a laboratory: by seeds, images drawn, and the command to name; returns its result."""


def _of_generators(name: str, summary: str) -> None:
    """Add a command about generators, such as those of the poster's three assumptions: all have the same options.

    Args:
        name: of the command and of its result.
        summary: its line of help.
    """

    def command(
        dataset: DatasetOption = "digits",
        seeds: SeedsOption = "0",
        generators: GeneratorsOption = "biggan,diffusion",
        drawn: DrawnOption = 1_000,
        steps_share: StepsShareOption = 1.0,
        size: SizeOption = "full",
        guidance: GuidanceOption = None,
        images: ImagesOption = None,
        out: OutOption = Path("gmv-experiments"),
        config: ConfigOption = None,
        json: JsonOption = False,
    ) -> None:
        generating = Generating(generators, drawn, steps_share, size, guidance)
        asked = Asked(name, dataset, seeds, out, config, generating.options, images=images)
        laboratory = laboratory_of(asked, generating)
        from gmv.cli.experiment.tables import result_view
        from gmv.cli.output import render

        result = _run(name)(laboratory, asked.seed_numbers, drawn, asked.command)
        keep(asked, result)
        render(result, json, result_view)

    app.command(name, help=summary)(command)


def _run(name: str) -> Run:
    match name:
        case "ra1":
            from gmv.experiments.ra1 import run_ra1

            return run_ra1
        case "ra2":
            from gmv.experiments.ra2 import run_ra2

            return run_ra2
        case "quality":
            from gmv.experiments.quality.run import run_quality

            return run_quality
        case _:
            from gmv.experiments.ra3 import run_ra3

            return run_ra3


_of_generators("ra1", "Compare how near generated images are to those that generators were trained on, and others.")
_of_generators("ra2", "Compare values of images that generators were trained on with those of others (Table 1).")
_of_generators("ra3", "Compare what images are worth with how alike they are to what was generated.")
_of_generators("quality", "Measure how good what generators draw is: Frechet distance and Inception Score.")


@app.command()
def fidelity(
    dataset: DatasetOption = "digits",
    seeds: SeedsOption = "0,1,2",
    queries: Annotated[
        int, typer.Option("--queries", metavar="N", min=1, help="Real images that are asked about, for each seed.")
    ] = 300,
    images: ImagesOption = None,
    out: OutOption = Path("gmv-experiments"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure what K, M, tau and the re-rank change for real images that are left out of the index; trains nothing."""
    asked = Asked("fidelity", dataset, seeds, out, config, {"--queries": str(queries)}, images=images)
    settings = prepare(asked)
    from gmv.cli.experiment.tables import result_view
    from gmv.cli.output import progress, render
    from gmv.experiments.fidelity.run import run_fidelity
    from gmv.experiments.folder import Folder

    folder = Folder(asked.folder)
    result = run_fidelity(images_of(asked), folder, settings, asked.seed_numbers, queries, asked.command, progress)
    keep(asked, result)
    render(result, json, result_view)


@app.command()
def truth(
    dataset: Annotated[
        str,
        typer.Option(
            "--dataset",
            metavar="NAME|FILE",
            help="demo (the images of `gmv demo`), or a Parquet file with the columns image_id, owner_id and image.",
        ),
    ] = "demo",
    seeds: SeedsOption = "0,1,2",
    sources: Annotated[
        str, typer.Option("--sources", metavar="N,M,…", help="How many training images a remix is made of: 1 to 5.")
    ] = "1,2,3,5",
    noise: Annotated[
        str,
        typer.Option("--noise", metavar="N,M,…", help="Standard deviations of the noise over remixes, in 256 steps."),
    ] = "4,16,48",
    events: Annotated[
        int, typer.Option("--events", metavar="N", min=1, help="Remixes of each kind, for each seed.")
    ] = 200,
    out: OutOption = Path("gmv-experiments"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Count how much of the credit for remixes goes to the training images that they are made of; trains nothing."""
    options = {"--sources": sources, "--noise": noise, "--events": str(events)}
    asked = Asked("truth", dataset, seeds, out, config, options)
    settings = prepare(asked)
    plan = plan_of(asked, sources, noise, events)
    from gmv.cli.experiment.tables import result_view
    from gmv.cli.output import progress, render
    from gmv.demo.run import EXAMPLE_CORPUS
    from gmv.experiments.folder import Folder
    from gmv.experiments.truth.mixing import Mixer
    from gmv.experiments.truth.run import CONTRIBUTORS, run_truth

    corpus = EXAMPLE_CORPUS if dataset == "demo" else Path(dataset)
    mixer = Mixer(corpus, Folder(asked.folder / "truth"), settings, CONTRIBUTORS, progress)
    result = run_truth(mixer, plan, asked.folder.name, asked.command)
    keep(asked, result)
    render(result, json, result_view)


@app.command()
def lds(
    dataset: DatasetOption = "digits",
    losses: Annotated[
        Path | None,
        typer.Option(
            "--losses",
            metavar="FOLDER",
            help="Masks, losses and images of others (docs/experiments.md): nothing is trained, --dataset is not read.",
        ),
    ] = None,
    seeds: SeedsOption = "0",
    drawn: DrawnOption = 200,
    subsets: Annotated[
        int, typer.Option("--subsets", metavar="N", min=8, help="Halves of the training images, for each seed.")
    ] = 64,
    trainings: Annotated[
        int, typer.Option("--trainings", metavar="N", min=1, help="Of each half; their losses are averaged.")
    ] = 2,
    steps_share: StepsShareOption = 1.0,
    out: OutOption = Path("gmv-experiments"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Judge scores of training images by generators that are trained without half of them."""
    from gmv.cli.experiment.tables import result_view
    from gmv.cli.output import progress, render
    from gmv.experiments.folder import Folder

    if losses is not None:
        from gmv.experiments.lds.given import read_given
        from gmv.experiments.lds.run_given import run_given

        asked = Asked("lds", str(losses), seeds, out, config, {}, "--losses")
        settings = prepare(asked)
        given = read_given(losses)
        result = run_given(given, Folder(asked.folder), settings, asked.seed_numbers, asked.command, progress)
    else:
        from gmv.experiments.lds.run import Plan, run_lds

        counts = {"--drawn": str(drawn), "--subsets": str(subsets), "--trainings": str(trainings)}
        asked = Asked("lds", dataset, seeds, out, config, counts | {"--steps-share": f"{steps_share:g}"})
        settings = prepare(asked)
        plan = Plan(asked.seed_numbers, drawn, subsets, trainings, steps_share)
        result = run_lds(images_of(asked), Folder(asked.folder), settings, plan, asked.command, progress)
    keep(asked, result)
    render(result, json, result_view)


@app.command()
def owners(
    dataset: DatasetOption = "digits",
    seeds: SeedsOption = "0",
    count: Annotated[
        int, typer.Option("--owners", metavar="N", help="From 2 to 12: a generator is trained on each subset of them.")
    ] = 10,
    divisions: Annotated[
        str,
        typer.Option("--divisions", metavar="NAME,…", help="Ways to give them images (docs/experiments.md)."),
    ] = "equal,sizes,classes,styles,spoiled",
    drawn: DrawnOption = 500,
    images: ImagesOption = None,
    out: OutOption = Path("gmv-experiments"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Compare credits of owners with their exact Shapley and Banzhaf values, by retraining without them."""
    options = {"--owners": str(count), "--divisions": divisions, "--drawn": str(drawn)}
    asked = Asked("owners", dataset, seeds, out, config, options, images=images)
    settings = prepare(asked)
    from gmv.cli.experiment.tables import result_view
    from gmv.cli.output import progress, render
    from gmv.experiments.folder import Folder
    from gmv.experiments.owners.run import Plan, run_owners

    names = tuple(dict.fromkeys(name.strip() for name in divisions.split(",")))
    plan = Plan(asked.seed_numbers, count, names, drawn)
    result = run_owners(images_of(asked), Folder(asked.folder), settings, plan, asked.command, progress)
    keep(asked, result)
    render(result, json, result_view)


@app.command()
def report(
    out: OutOption = Path("gmv-experiments"),
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Where the document goes. Default: in the folder.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write all results in a folder as one page (report.html) and one document (fidelity.md)."""
    from gmv.cli.experiment.tables import WrittenReport, report_view
    from gmv.cli.output import render
    from gmv.experiments.report.sections import sections_in
    from gmv.experiments.report.writing import as_markdown, as_page
    from gmv.whole_file import write_whole

    sections = sections_in(out)
    page, document = out / "report.html", markdown or out / "fidelity.md"
    write_whole(page, as_page(sections).encode())
    write_whole(document, as_markdown(sections).encode())
    render(WrittenReport(page, document, len(sections)), json, report_view)
