"""Where credit goes by temperature, as a picture."""

import io
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gmv.calibrate.measure import AtTemperature, Calibrated
from gmv.dashboards.pictures import GRID, PALETTE, STYLE, svg

_INCHES: Final = (8.0, 3.4)
_DOTS_PER_INCH: Final = 160


def temperature_curve(calibrated: Calibrated, image_format: str) -> bytes:
    """Return a picture of the shares on true sources and owners by temperature, for each kind of queries.

    Args:
        calibrated: what was measured.
        image_format: `svg` or `png`.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_INCHES, layout="constrained", facecolor="white")
        panels: Any = figure.subplots(1, len(calibrated.kinds), sharey=True, squeeze=False)[0]
        for axes, kind in zip(panels, calibrated.kinds, strict=True):
            _draw(axes, kind.temperatures, "on_true_sources", "on true sources", PALETTE[0], kind.sources_by_chance)
            _draw(axes, kind.temperatures, "on_true_owners", "on true owners", PALETTE[1], kind.owners_by_chance)
            axes.axvline(calibrated.temperature, color=STYLE["text.color"], linewidth=1.0, linestyle=(0, (1, 2)))
            axes.set_title(f"{kind.queries:,} {kind.kind}", fontsize=STYLE["font.size"])
            _lay_out(axes)
        panels[0].set_ylabel("share of credit")
        panels[0].legend(frameon=False)
        if image_format == "svg":
            return svg(figure).encode()
        drawn = io.BytesIO()
        figure.savefig(drawn, format=image_format, dpi=_DOTS_PER_INCH)
        return drawn.getvalue()


def _draw(axes: Any, points: tuple[AtTemperature, ...], name: str, label: str, colour: str, by_chance: float) -> None:
    temperatures = [point.temperature for point in points]
    shares = [getattr(point, name) for point in points]
    axes.plot(temperatures, [share.mean for share in shares], color=colour, label=label, marker=".", markersize=4.0)
    axes.fill_between(
        temperatures,
        [share.least for share in shares],
        [share.most for share in shares],
        color=colour,
        alpha=0.15,
        linewidth=0,
    )
    axes.axhline(by_chance, color=colour, linewidth=1.0, linestyle=(0, (4, 3)))


def _lay_out(axes: Any) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("temperature (dotted: in use; dashed: by chance)")
    axes.grid(color=GRID, linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, which="both")
