"""Pictures of results: RA1's, as the poster's Figure 1, shares against mixing weights, credits against values."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gmv.dashboards.pictures import GRID, PALETTE, STYLE, svg

_HEIGHT_INCHES = 2.8

Shown = TypeVar("Shown")


def distances_picture(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return a data URI of the distributions of distances, each generator's first seed, and what it shows."""

    def draw(axes: Axes, generator: Mapping[str, Any]) -> None:
        seed = generator["seeds"][0]
        for name, quantiles, colour in zip(("used", "unused"), ("v1_quantiles", "v2_quantiles"), PALETTE, strict=False):
            axes.plot(seed[quantiles], result["quantiles"], color=colour, label=f"nearest {name} image")
        axes.set_title(f"{generator['generator']}, seed {seed['seed']}", fontsize=9)
        axes.set(xlabel="W1", ylabel="share of drawn images")
        axes.legend(frameon=False)

    uri = _panels(result["generators"], 4.2, draw)
    return uri, "share of drawn images within a distance of the nearest used and the nearest unused training image"


def calibration_picture(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return a data URI of sources' shares by mixing weight, a panel for each noise, and what it shows."""

    def draw(axes: Axes, noise: float) -> None:
        axes.plot([0, 1], [0, 1], color=PALETTE[7], linestyle="--", linewidth=0.8, label="share = weight")
        at = [each for each in result["calibrations"] if each["noise"] == noise]
        for each, colour in zip(at, PALETTE, strict=False):
            means = [[one[name]["mean"] for one in each["bins"]] for name in ("weight", "share")]
            axes.plot(*means, color=colour, marker="o", markersize=3, label=f"tau {each['temperature']:.3g}")
        axes.set_title(f"noise {noise:g}", fontsize=9)
        axes.set(xlabel="mixing weight of a source", ylabel="its share of the credit", xlim=(0, 1.02), ylim=(0, 1.02))
        axes.legend(frameon=False)

    uri = _panels(list(dict.fromkeys(each["noise"] for each in result["calibrations"])), 4.2, draw)
    return uri, "mean share of credit of true sources, by the part that they have in the image"


def credits_picture(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return a data URI of owners' credits over their Shapley values, by division, and what it shows."""

    def draw(axes: Axes, division: Mapping[str, Any]) -> None:
        values, earned = ([each[what] for each in division["owners"]] for what in ("shapley", "credit"))
        axes.scatter(values, earned, color=PALETTE[0], s=14)
        axes.set_title(f"{division['division']}, seed {division['first_seed']}", fontsize=9)
        axes.set(xlabel="Shapley value", ylabel="share of all credits")
        axes.set_ylim(bottom=0)

    return _panels(result["divisions"], 2.8, draw), "share of all credits of each owner, over its Shapley value"


def _panels(shown: Sequence[Shown], width_inches: float, draw: Callable[[Axes, Shown], None]) -> str:
    """Return a data URI of panels side by side, in the style of all pictures."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width_inches * len(shown), _HEIGHT_INCHES), layout="constrained")
        for axes, each in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            draw(axes, each)
            axes.grid(color=GRID, linewidth=0.8)
            axes.spines[:].set_visible(False)
        return "data:image/svg+xml;base64," + base64.b64encode(svg(figure).encode()).decode()
