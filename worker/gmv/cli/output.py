"""How results look: one JSON object for machines, tables for people, progress bars for those who watch."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from gmv.valuation.types import MICROS_PER_CREDIT

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

T = TypeVar("T")

PIPED_WIDTH = 200  # columns; rich would fold at 80 what goes to a file


def print_result(result: Mapping[str, Any], as_json: bool, lay_out: Callable[[], "RenderableType"]) -> None:
    """Print a result on stdout.

    Args:
        result: what `--json` prints, as one object on one line; paths become text.
        as_json: whether it was asked for.
        lay_out: returns what a person sees instead, such as a `table`; called only then.
    """
    if as_json:
        import orjson

        typer.echo(orjson.dumps(result, default=_plain, option=orjson.OPT_NON_STR_KEYS))  # reasons and stages are keys
    else:
        print_for_people(lay_out())


def _plain(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_for_people(content: "RenderableType") -> None:
    """Print text or a table on stdout, wide enough that nothing is cut off in a file."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False).print(content)


def table(
    title: str | None, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Collection[str] = ()
) -> "Table":
    """Lay out rows under columns; those named in `numbers` are set to the right.

    Long cells are folded, never cut, and an owner's name is never read as markup.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    laid_out = Table(title=Text(title) if title else None, box=box.SIMPLE, title_justify="left")
    for column in columns:
        laid_out.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        laid_out.add_row(*(Text(str(cell)) for cell in row))
    return laid_out


def credits_text(micros: int) -> str:
    """Write micro-credits as credits, exactly: 1234567890 is "1,234.567890"."""
    whole, fraction = divmod(abs(micros), MICROS_PER_CREDIT)
    return f"{'-' if micros < 0 else ''}{whole:,}.{fraction:06d}"


@contextmanager
def progress(description: str, total: int | None = None, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Show how far a long step is, on stderr and only when that is a terminal.

    Args:
        description: what is being done, such as "encoding".
        total: number of units, None when it is not known.
        unit: what is counted, such as "images".

    Yields:
        A function to call with the number of units done since the last call.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn(unit, markup=False),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total)
        yield lambda steps: bar.advance(task, steps)


def watched(things: Iterable[T], advance: Callable[[int], None]) -> Iterator[T]:
    """Yield them, telling a `progress` of each."""
    for thing in things:
        advance(1)
        yield thing
