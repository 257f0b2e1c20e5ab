"""`gmv demo`: the whole story, told as it goes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmv.cli.options import JsonOption, load_settings

if TYPE_CHECKING:
    from gmv.demo.run import DemoResult


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

    Images are "generated" by mixing two to four known training images, so that it can be told how often the true
    sources are credited. A second run uses what the first has made, and credits nothing twice.
    """
    from gmv.demo.folder import DemoFolder

    folder = DemoFolder(out)
    settings = load_settings(None, index=folder.index, ledger=folder.ledger_url)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.demo_tables import lay_out
    from gmv.cli.output import print_result
    from gmv.demo.run import run_demo

    result = run_demo(corpus or _example_corpus(), folder, events, seed, settings, _StageReporter(silent=json))
    print_result(_plain(result), json, lambda: lay_out(result))


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


def _plain(result: "DemoResult") -> dict[str, Any]:
    books, folder = result.books, result.folder
    return {
        "events": books.events,
        "credited": books.sums.credited,
        "credited_now": result.now.credited,
        "duplicates": books.sums.duplicates,
        "dead_letters": books.sums.dead_letters,
        "dead_letters_by_reason": dict(books.reasons),
        "owners": len(books.balances),
        "credit_micros": books.sums.micros,
        "conserved": books.conserved,
        "source_hit_rate": result.hits.rate,
        "source_hit_rate_by_chance": result.hits.by_chance,
        "nearest_is_source_rate": result.hits.nearest_rate,
        "training_images": len(result.index.images),
        "index_id": result.index.index_id,
        "index_path": folder.index,
        "events_path": folder.events,
        "sources_path": folder.sources,
        "ledger_url": folder.ledger_url,
        "receipts_path": folder.receipts,
        "dead_letters_path": folder.dead_letters,
        "report_path": folder.report,
        "seconds": result.seconds,
    }
