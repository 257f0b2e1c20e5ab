"""Recall by number of candidates, as a picture."""

from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gmv.dashboards.pictures import GRID, PALETTE, STYLE, svg
from gmv.index.manifest import CalibratedCandidates

_INCHES: Final = (6.0, 3.2)


def recall_curve(measured: CalibratedCandidates, candidates: int) -> str:
    """Return the SVG of recall by M, with intervals of 95 %, the target, and M of the settings."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes: Any = figure.subplots()
        for curve, colour in zip(measured.curves, PALETTE, strict=False):
            numbers = [point.candidates for point in curve.points]
            axes.plot(numbers, [point.recall for point in curve.points], color=colour, label=curve.kind)
            lowest, highest = ([getattr(point, end) for point in curve.points] for end in ("least", "most"))
            axes.fill_between(numbers, lowest, highest, color=colour, alpha=0.15, linewidth=0)
        axes.axhline(measured.target, color=STYLE["text.color"], linewidth=1.0, linestyle=(0, (4, 3)))
        axes.axvline(candidates, color=STYLE["text.color"], linewidth=1.0, linestyle=(0, (1, 2)))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        axes.set_ylim(top=1.0)
        axes.set_xlabel("candidates recalled, M")
        axes.set_ylabel("of the ten nearest by W1")
        axes.grid(color=GRID, linewidth=0.8)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, which="both")
        axes.legend(frameon=False)
        return svg(figure)
