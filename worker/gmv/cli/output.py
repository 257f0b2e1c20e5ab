"""How results look: one JSON object for machines, text and tables for people, progress bars for those who watch."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gmv.cli import terminal
from gmv.printable import encodable, printable
from gmv.valuation.types import credits_text as credits_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from rich.console import ConsoleRenderable
    from rich.table import Table
    from rich.text import Text

R = TypeVar("R", bound="DataclassInstance")

PIPED_WIDTH = 200  # columns; rich would fold at 80 what goes to a file


def render(result: R, as_json: bool, view: "Callable[[R], Iterator[str | ConsoleRenderable]]") -> None:
    """Print a command's result on stdout, for programs or for people.

    Args:
        result: its fields, in order, are the JSON object. Paths become text, enums their values, bytes base64. A field
            whose name in JSON is a word of Python's ends with an underscore. Names of files that are no UTF-8 are
            `encodable`.
        as_json: whether to print that object, on one line.
        view: yields what a person sees of the same result, from the top down, a line or a table each; called only where
            it is wanted. Text is printed as it is, neither folded nor read as markup, its control characters escaped.
    """
    if as_json:
        import orjson

        terminal.write_json(orjson.dumps(_plain(result), option=orjson.OPT_NON_STR_KEYS))  # reasons and stages are keys
        return
    for part in view(result):
        print_for_people(part)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, and such that UTF-8 has it, too."""
    from base64 import b64encode

    from pydantic import BaseModel

    match value:
        case str():
            return encodable(value)
        case Path():
            return encodable(str(value))
        case bytes():
            return b64encode(value).decode()
        case BaseModel():
            return _plain(dict(value))
        case Mapping():
            return {_plain(name): _plain(part) for name, part in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict())
        case list() | tuple():
            return [_plain(part) for part in value]
        case _ if is_dataclass(value):
            return {field.name.removesuffix("_"): _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def print_for_people(part: "str | ConsoleRenderable") -> None:
    """Print a line as it is, or a table, wide enough that nothing is cut off in a file."""
    if isinstance(part, str):
        terminal.write(part)
        return
    from rich.console import Console

    Console(
        width=None if terminal.is_watched() else PIPED_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    ).print(part)


def heading(text: str) -> "Text":
    """Lay out a heading, for what is too wide for a table's title; rich would fold that to the table's width."""
    from rich.text import Text

    return Text(printable(text), style="bold")


def table(
    title: str | None, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Collection[str] = ()
) -> "Table":
    """Lay out rows under columns; those named in `numbers` are set to the right.

    Long cells are folded, never cut, and an owner's name is never read as markup. A cell of several lines is a tuple.
    """
    from rich import box
    from rich.table import Table

    laid_out = Table(title=_text(title) if title else None, box=box.SIMPLE, title_justify="left")
    for column in columns:
        laid_out.add_column(_text(column), justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        laid_out.add_row(*map(_text, row))
    return laid_out


def _text(cell: object) -> "Text":
    from rich.text import Text

    return Text("\n".join(printable(str(line)) for line in (cell if isinstance(cell, tuple) else (cell,))))


def facts(title: str | None, rows: Iterable[tuple[str, object]]) -> "Table":
    """Lay out names and values, a line each; whole numbers get their thousands separated."""
    return table(title, ["", " "], [(name, f"{value:,}" if type(value) is int else value) for name, value in rows])


def distance_text(distance: float, mirrored: bool) -> str:
    """Write a W1 distance, and whether it is that of the generated image mirrored."""
    return f"{'mirrored ' if mirrored else ''}{distance:.4f}"


def tell_who_watches(sentence: str) -> None:
    """Say something before a long step, on stderr and only when that is a terminal, as progress is shown."""
    if sys.stderr.isatty():
        terminal.say(sentence)


def evidence_text(p_value: float, is_flat: bool, is_reliable: bool, unattributed_micros: int) -> str:
    """Say what speaks for an event's contributors, and where its credit went if that is too little."""
    seen = "a flat picture, in which there is hardly anything to be seen" if is_flat else f"p = {p_value:.3g}"
    verdict = "reliable" if is_reliable else "not reliable"
    withheld = f"; {credits_text(unattributed_micros)} credits go to unattributed" if unattributed_micros else ""
    return f"evidence: {seen}, {verdict}{withheld}"


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
