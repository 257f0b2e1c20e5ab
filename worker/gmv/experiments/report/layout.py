"""What a section of a report is made of, and how figures are written in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Result = Mapping[str, Any]
"""A result as `--json` prints it."""


@dataclass(frozen=True, slots=True)
class Table:
    """Text under columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One experiment on one data set.

    Attributes:
        title: of it.
        command: that makes the result.
        text: sentences about what the tables show.
        tables: of figures.
        picture: draws an SVG as a data URI, and says what it shows.
    """

    title: str
    command: str
    text: tuple[str, ...]
    tables: tuple[Table, ...]
    picture: Callable[[], tuple[str, str]] | None = None


def interval(figure: Result, form: str) -> str:
    """Write a mean over seeds, and its interval where there are several."""
    if figure["low"] is None:
        return format(figure["mean"], form)
    return f"{figure['mean']:{form}} ({figure['low']:{form}} to {figure['high']:{form}})"
