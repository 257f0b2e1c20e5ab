"""Results of experiments on a terminal: the sections of a report."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gmv.cli.output import table

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """Where a report is, and how many results it holds."""

    page: Path
    document: Path
    results: int


def report_view(report: WrittenReport) -> Iterator[str]:
    """Say where it is."""
    yield f"{report.results} results in {report.page} and {report.document}"


def result_view(result: object) -> "Iterator[str | ConsoleRenderable]":
    """Show a result as its section of the report has it, less the picture."""
    from gmv.experiments.report.sections import section_of

    section = section_of(result)
    yield section.title
    yield from section.text
    for each in section.tables:
        yield table(None, each.columns, each.rows, numbers=each.columns[1:])
