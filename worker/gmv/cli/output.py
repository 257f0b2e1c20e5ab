"""How results look: one JSON object for machines, text and tables for people, progress bars for those who watch."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from gmv.valuation.types import MICROS_PER_CREDIT

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from rich.console import ConsoleRenderable
    from rich.table import Table

R = TypeVar("R", bound="DataclassInstance")

PIPED_WIDTH = 200  # columns; rich would fold at 80 what goes to a file


def render(result: R, as_json: bool, view: "Callable[[R], Iterator[str | ConsoleRenderable]]") -> None:
    """Print a command's result on stdout, for programs or for people.

    Args:
        result: its fields, in order, are the JSON object. Paths become text, enums their values, bytes base64. A field
            whose name in JSON is a word of Python's ends with an underscore.
        as_json: whether to print that object, on one line.
        view: yields what a person sees of the same result, from the top down; called only where it is wanted. Text is
            printed as it is, neither folded nor read as markup.
    """
    if as_json:
        import orjson

        options = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS  # numbers, reasons and stages are keys
        typer.echo(orjson.dumps(result, default=_plain, option=options))
        return
    for part in view(result):
        print_for_people(part)


def _plain(value: Any) -> Any:
    """Return what JSON has for a value that orjson does not write, or not by the names wanted."""
    from base64 import b64encode

    from pydantic import BaseModel

    match value:
        case Path():
            return str(value)
        case bytes():
            return b64encode(value).decode()
        case BaseModel():
            return value.model_dump(mode="json")
        case tuple() if hasattr(value, "_asdict"):
            return value._asdict()
        case _ if is_dataclass(value):
            return {field.name.removesuffix("_"): getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_for_people(part: "str | ConsoleRenderable") -> None:
    """Print text as it is, or a table, wide enough that nothing is cut off in a file."""
    if isinstance(part, str):
        typer.echo(part)
        return
    from rich.console import Console

    Console(
        width=None if sys.stdout.isatty() else PIPED_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    ).print(part)


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


def facts(title: str | None, rows: Iterable[tuple[str, object]]) -> "Table":
    """Lay out names and values, a line each; whole numbers get their thousands separated."""
    return table(title, ["", " "], [(name, f"{value:,}" if type(value) is int else value) for name, value in rows])


def credits_text(micros: int) -> str:
    """Write micro-credits as credits, exactly: 1234567890 is "1,234.567890"."""
    whole, fraction = divmod(abs(micros), MICROS_PER_CREDIT)
    return f"{'-' if micros < 0 else ''}{whole:,}.{fraction:06d}"


def tell_who_watches(sentence: str) -> None:
    """Say something before a long step, on stderr and only when that is a terminal, as progress is shown."""
    if sys.stderr.isatty():
        typer.echo(sentence, err=True)


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
