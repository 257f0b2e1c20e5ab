"""`gmv report`: the dashboards as one HTML file, for an incident's notes and where there is no Grafana."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import JsonOption

if TYPE_CHECKING:
    from gmv.dashboards.prometheus import Window

_POINTS = 240  # of a diagram: as many as it has pixels to show them by


@dataclass(frozen=True, slots=True)
class Drawn:
    """The file that was drawn, and how many panels it has."""

    report: Path
    panels: int


def report(
    prometheus: Annotated[str, typer.Option("--prometheus", metavar="URL", help="As in http://prometheus:9090.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="Replaced.")] = Path("gmv-report.html"),
    hours: Annotated[float, typer.Option("--hours", min=0.001, help="How much of the past is shown.")] = 1.0,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Its end: 2026-01-31T14:30. Default: now.")
    ] = None,
    scrape_seconds: Annotated[
        float, typer.Option("--scrape-seconds", min=0.1, help="Pause between two scrapes; rates look back over four.")
    ] = 15.0,
    select: Annotated[
        str, typer.Option("--select", metavar="MATCHERS", help='Of PromQL, for every metric: namespace="prod".')
    ] = "",
    statement: Annotated[
        str | None,
        typer.Option("--statement", metavar="LINK", help="To the page of `gmv credits page`: october/index.html."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Ask Prometheus what the Grafana dashboards ask, and draw it into one HTML file that needs nothing else.

    Alerts that fired in that time are at its top. A time without an offset is this machine's.
    """
    window = _window(hours, until, scrape_seconds)
    from gmv.cli.out_file import replacing
    from gmv.cli.output import progress, render
    from gmv.dashboards.prometheus import Prometheus
    from gmv.errors import InvalidSettings

    try:
        from gmv.dashboards.report import panels_count, report
    except OSError as error:
        raise InvalidSettings(
            "matplotlib has no folder for what it knows of fonts; set MPLCONFIGDIR to one that can be written"
        ) from error

    with replacing(out) as file, progress("drawing", panels_count(), "panels") as advance:
        file.write(report(Prometheus(prometheus), window, select, advance, statement).encode())
    render(Drawn(out, panels_count()), json, _view)


def _view(drawn: Drawn) -> Iterator[str]:
    yield f"{drawn.panels} panels are in {drawn.report}"


def _window(hours: float, until: str | None, scrape_seconds: float) -> "Window":
    import time
    from datetime import datetime

    from gmv.dashboards.prometheus import Window
    from gmv.errors import InvalidSettings

    try:
        end = time.time() if until is None else datetime.fromisoformat(until).timestamp()
    except ValueError:
        raise InvalidSettings(
            f"--until {until!r} is no time; 2026-01-31T14:30 or 2026-01-31T14:30+01:00 is one"
        ) from None
    seconds = hours * 3_600.0
    return Window(end - seconds, end, max(seconds / _POINTS, scrape_seconds), scrape_seconds)
