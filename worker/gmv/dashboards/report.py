"""The dashboards as one HTML file that needs nothing but itself: for an incident, and where there is no Grafana."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import fmean
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from gmv.dashboards.all import DASHBOARDS
from gmv.dashboards.panels import GRID_WIDTH, Kind, Panel, Unit, scoped
from gmv.dashboards.pictures import COLOURS, Line, diagram, lines_of, spark
from gmv.dashboards.prometheus import Prometheus, Series, Window
from gmv.dashboards.values import number, word, written

NO_DATA: Final = "#7a8594"
_LEGEND_MAX: Final = 8  # series named below a diagram; the picture has all of them
_SPARK_POINTS_MIN: Final = 3
_ALERT_LABELS: Final = {"__name__", "alertname", "alertstate", "severity"}
ALERTS: Final = 'ALERTS{alertname=~"Gmv.+", alertstate="firing"}'


@dataclass(frozen=True, slots=True)
class Named:
    """A row of a legend, or a bar: `length` is in [0, 1]."""

    name: str
    colour: str
    mean: str
    highest: str
    newest: str
    length: float


@dataclass(frozen=True, slots=True)
class View:
    """A panel with what was found, ready for the page.

    Attributes:
        panel: as it is defined.
        picture: `data:` URI; empty where nothing was found.
        value: a stat's, as text; "no data" where there is none.
        word: unit of the value, or of all of them, where it is the same for every size.
        colour: a stat's.
        rows: legend or bars.
        more: series that the legend leaves out.
    """

    panel: Panel
    picture: str = ""
    value: str = "no data"
    word: str = ""
    colour: str = NO_DATA
    rows: Sequence[Named] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fired in the window: from when to when, as text and as shares of the window."""

    name: str
    severity: str
    about: str
    since: str
    until: str
    left: float
    width: float


def report(
    prometheus: Prometheus,
    window: Window,
    matchers: str = "",
    progress: Callable[[int], None] = lambda _panels: None,
    statement: str | None = None,
) -> str:
    """Draw every panel.

    Args:
        prometheus: what is asked.
        window: the time shown.
        matchers: of PromQL, put to every metric: `namespace="attribution"`.
        progress: called with the number of panels drawn since the last call.
        statement: link to the page of what owners earned, None where there is none.

    Returns:
        HTML, without a script, that asks for nothing.

    Raises:
        MetricsUnavailable: Prometheus does not answer, or refuses the matchers.
    """

    def view(panel: Panel) -> View:
        found = {
            legend: prometheus.series(scoped(expression, lambda _: matchers), window)
            for legend, expression in panel.queries.items()
        }
        progress(1)
        return view_of(panel, found, window)

    pages = [(page, [(row, [view(panel) for panel in row.panels]) for row in page.rows]) for page in DASHBOARDS]
    alerts = prometheus.series(scoped(ALERTS, lambda _: matchers), window)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            pages=pages,
            firings=[firing(series, window) for series in alerts],
            since=_moment(window.start),
            until=_moment(window.end),
            length=written(window.end - window.start, Unit.SECONDS),
            url=prometheus.url,
            matchers=matchers,
            statement=statement,
        )
    )


def panels_count() -> int:
    """Return how many panels a report draws."""
    return sum(1 for page in DASHBOARDS for _ in page.panels())


def view_of(panel: Panel, found: Mapping[str, Sequence[Series]], window: Window) -> View:
    """Lay a panel out."""
    lines = lines_of(panel, found)
    if not lines:
        return View(panel)
    match panel.kind:
        case Kind.STAT:
            return _stat(panel, lines[0].series, window)
        case Kind.BARS:
            bars = [_bar(panel, line) for line in lines]
            return View(panel, word=word(panel.unit), rows=_rows(panel, bars))
        case Kind.LINES | Kind.STACK:
            rows = _rows(panel, lines)
            shown = sorted(rows, key=lambda row: -row.length)[:_LEGEND_MAX] if len(rows) > _LEGEND_MAX else rows
            picture = _data_uri(diagram(panel, lines, window))
            return View(panel, picture, word=word(panel.unit), rows=shown, more=len(rows) - len(shown))


def _stat(panel: Panel, series: Series, window: Window) -> View:
    newest = series.values[-1]
    colour = COLOURS[panel.scale.colour(newest)]
    value = panel.words.get(round(newest)) or number(newest, panel.unit)
    picture = "" if panel.words or len(series.values) < _SPARK_POINTS_MIN else _data_uri(spark(series, colour, window))
    return View(panel, picture, value, word(panel.unit), colour)


def _rows(panel: Panel, lines: Sequence[Line]) -> list[Named]:
    highest = max((max(line.series.values) for line in lines), default=0.0) or 1.0
    return [
        Named(
            name=line.name,
            colour=line.colour,
            mean=number(fmean(line.series.values), panel.unit),
            highest=number(max(line.series.values), panel.unit),
            newest=number(line.series.values[-1], panel.unit),
            length=max(0.0, max(line.series.values) / highest),
        )
        for line in lines
    ]


def _bar(panel: Panel, line: Line) -> Line:
    """Return the newest value alone, in the colour that its name or its size has."""
    newest = replace(line.series, times=line.series.times[-1:], values=line.series.values[-1:])
    colour = panel.colours.get(line.name, panel.scale.colour(newest.values[-1]))
    return Line(line.name, COLOURS[colour], newest)


def firing(series: Series, window: Window) -> Firing:
    """Lay out an alert's time line, from the first moment it fired in the window to the last."""
    first, last = series.times[0], series.times[-1]
    length = window.end - window.start
    about = {name: value for name, value in series.labels.items() if name not in _ALERT_LABELS}
    return Firing(
        name=series.labels["alertname"],
        severity=series.labels.get("severity", ""),
        about=", ".join(f"{name} {value}" for name, value in sorted(about.items())),
        since=_moment(first),
        until="still" if last > window.end - window.step else _moment(last),
        left=(first - window.start) / length,
        width=max(last - first, window.step) / length,
    )


def _moment(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gmv.dashboards", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["columns"] = GRID_WIDTH
    return environment
