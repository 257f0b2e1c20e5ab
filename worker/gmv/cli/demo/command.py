"""`gmv demo`: the whole story, shown as it runs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from gmv.cli.options import JsonOption, load_settings


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where everything is made, and looked for again.")
    ] = Path("gmv-demo"),
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus", metavar="PATH", help="Training images as `gmv index build` takes them. Default: the example's."
        ),
    ] = None,
    events: Annotated[int, typer.Option("--events", metavar="N", min=8, max=10_000, help="Images to generate.")] = 200,
    seed: Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, help="Of the generated images.")] = 1,
    json: JsonOption = False,
) -> None:
    """Run the whole story on real images: index, events, credits, receipts, and a report with pictures.

    Images are "generated" by mixing two to four known training images, or by altering one, so that it is known which
    part of the credit goes to true sources and to their owners. A second run uses what the first has made, and
    credits nothing twice.
    """
    from gmv.demo.folder import DemoFolder

    folder = DemoFolder(out)
    settings = load_settings(None, index=folder.index, ledger=folder.ledger_url)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.demo.tables import view
    from gmv.cli.output import render
    from gmv.demo.figures import figures_of
    from gmv.demo.run import run_demo

    result = run_demo(corpus or _example_corpus(), folder, events, seed, settings, _StageReporter(silent=json))
    render(figures_of(result), json, view)


def _example_corpus() -> Path:
    from gmv.demo.run import EXAMPLE_CORPUS
    from gmv.errors import CorpusRefused

    if not EXAMPLE_CORPUS.is_file():
        raise CorpusRefused(
            "the example corpus comes with the source checkout and not with the installed package; run this in a "
            "checkout, or name training images of your own with --corpus"
        )
    return EXAMPLE_CORPUS


class _StageReporter:
    """See `gmv.demo.run.StageReporter`."""

    def __init__(self, silent: bool) -> None:
        self._silent = silent

    def stage(self, name: str, text: str) -> None:
        from gmv.cli.output import print_for_people

        if not self._silent:
            print_for_people(f"{name:<8}{text}")

    def progress(self, description: str, total: int | None, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        from gmv.cli.output import progress

        return progress(description, total, unit)
