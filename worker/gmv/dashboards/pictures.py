"""Diagrams as SVG, by matplotlib."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, MultipleLocator
from numpy.typing import NDArray

from gmv.dashboards.panels import Colour, Kind, Panel, Unit
from gmv.dashboards.prometheus import Series, Window
from gmv.dashboards.values import number

COLOURS: Final[Mapping[Colour, str]] = {
    Colour.GREEN: "#2f9e5b",
    Colour.YELLOW: "#d9a406",
    Colour.ORANGE: "#e8710a",
    Colour.RED: "#d03b3b",
    Colour.BLUE: "#3366cc",
    Colour.PURPLE: "#8250c4",
}
PALETTE: Final = ("#3366cc", "#e8710a", "#149ba5", "#8250c4", "#d9a406", "#2f9e5b", "#c2408f", "#7a8594", "#8a5a2b")

GRID: Final = "#e6e6e1"
_SOFT: Final = "#5a6068"
_INCHES_PER_COLUMN: Final = 0.6  # 1,440 pixels for a whole row
_HEIGHT_INCHES: Final = 2.3
_SPARK_INCHES: Final = (2.0, 0.45)
_TICKS_MAX: Final = 5
_ROUND_SECONDS: Final = (10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0)
STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "gmv",  # the same picture is the same bytes
    "font.size": 8.5,
    "text.color": _SOFT,
    "axes.labelcolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A series as it is drawn."""

    name: str
    colour: str
    series: Series


def lines_of(panel: Panel, found: Mapping[str, Sequence[Series]]) -> list[Line]:
    """Name and colour what was found by legend; in order of name, so that a name keeps its colour."""
    named = sorted(((each.named(legend), each) for legend, several in found.items() for each in several), key=_name)
    free = (colour for _ in range(1 + len(named)) for colour in PALETTE)
    return [
        Line(name, COLOURS[panel.colours[name]] if name in panel.colours else next(free), series)
        for name, series in named
    ]


def diagram(panel: Panel, lines: Sequence[Line], window: Window) -> str:
    """Return the SVG of a panel of lines or of a stack."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(panel.width * _INCHES_PER_COLUMN, _HEIGHT_INCHES), layout="constrained")
        axes = figure.subplots()
        times = mpl.dates.date2num([datetime.fromtimestamp(time, UTC) for time in _grid(window)])
        drawn = [_on_grid(line.series, window) for line in lines]
        if panel.kind is Kind.STACK and lines:
            heights = [np.nan_to_num(values) for values in drawn]
            axes.stackplot(times, *heights, colors=[line.colour for line in lines], alpha=0.8, linewidth=0)
        else:
            for line, values in zip(lines, drawn, strict=True):
                axes.plot(times, values, color=line.colour, linewidth=1.4)
        _lay_out(axes, panel, times)
        return svg(figure)


def spark(series: Series, colour: str, window: Window) -> str:
    """Return the SVG of how a value came to be what it is: an area without axes, and gaps where it is not known."""
    values = _on_grid(series, window)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_SPARK_INCHES)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.fill_between(_grid(window), values, color=colour, alpha=0.25, linewidth=0)
        axes.plot(_grid(window), values, color=colour, linewidth=1.2)
        axes.set_xlim(window.start, window.end)
        axes.set_ylim(min(0.0, *series.values), 1.1 * max(series.values) or 1.0)
        return svg(figure).replace("<svg ", '<svg preserveAspectRatio="none" ', 1)  # as wide as its panel


def _lay_out(axes: Axes, panel: Panel, times: NDArray[np.float64]) -> None:
    axes.set_xlim(times[0], times[-1])
    lowest, highest = axes.get_ylim()
    if panel.minimum is not None:
        lowest = panel.minimum
        nothing = not any(np.nanmax(line.get_ydata(), initial=0.0) for line in axes.lines)
        flat = 1.0 if panel.kind is Kind.LINES and nothing else 0.0  # else the axis of a flat zero ends at 0.055
        highest = max(highest, lowest + (panel.maximum or flat), 1e-9)
        axes.set_ylim(lowest, highest)
    for value, colour in panel.scale.steps if panel.kind is Kind.LINES else ():
        if lowest <= value <= highest:
            axes.axhline(value, color=COLOURS[colour], linewidth=1.0, linestyle=(0, (4, 3)))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.yaxis.set_major_locator(ticks(panel.unit, highest))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, panel.unit)))


def ticks(unit: Unit, highest: float) -> Locator:
    """Return where an axis is marked: at round numbers of what it is written in, MiB or minutes."""
    if unit is Unit.BYTES and highest > 0:
        return MultipleLocator(2.0 ** np.ceil(np.log2(highest / _TICKS_MAX)))
    if unit is Unit.SECONDS and highest > _TICKS_MAX * _ROUND_SECONDS[0]:
        step = next((each for each in _ROUND_SECONDS if highest <= _TICKS_MAX * each), _ROUND_SECONDS[-1])
        return MultipleLocator(step * np.ceil(highest / _TICKS_MAX / step))
    return MaxNLocator(_TICKS_MAX)


def _grid(window: Window) -> list[float]:
    return [window.start + step * window.step for step in range(int((window.end - window.start) / window.step) + 1)]


def _on_grid(series: Series, window: Window) -> NDArray[np.float64]:
    """Return a value per moment of the window, NaN where there is none, so that a gap is drawn as one."""
    values = np.full(len(_grid(window)), np.nan)
    values[[round((time - window.start) / window.step) for time in series.times]] = series.values
    return values


def svg(figure: Figure) -> str:
    """Return a figure as SVG, the same bytes each time, without what stands before an element."""
    written_to = io.StringIO()
    figure.savefig(written_to, format="svg", transparent=True, metadata={"Date": None})
    text = written_to.getvalue()
    return text[text.index("<svg") :]


def _name(named: tuple[str, Any]) -> str:
    return named[0]
