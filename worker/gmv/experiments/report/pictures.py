"""Pictures of results: RA1's, as the poster's Figure 1, shares against mixing weights, credits against values."""

import base64
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from gmv.dashboards.pictures import GRID, PALETTE, STYLE, svg

_INCHES = (4.2, 2.8)


def distances_picture(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return a data URI of the distributions of distances, each generator's first seed, and what it shows."""
    generators = result["generators"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_INCHES[0] * len(generators), _INCHES[1]), layout="constrained")
        for axes, generator in zip(figure.subplots(1, len(generators), squeeze=False)[0], generators, strict=True):
            seed = generator["seeds"][0]
            for name, colour in (("used", PALETTE[0]), ("unused", PALETTE[1])):
                quantiles = seed["v1_quantiles" if name == "used" else "v2_quantiles"]
                axes.plot(quantiles, result["quantiles"], color=colour, label=f"nearest {name} image")
            axes.set_title(f"{generator['generator']}, seed {seed['seed']}", fontsize=9)
            axes.set_xlabel("W1")
            axes.set_ylabel("share of drawn images")
            axes.grid(color=GRID, linewidth=0.8)
            axes.spines[:].set_visible(False)
            axes.legend(frameon=False)
        uri = _data_uri(figure)
    return uri, "share of drawn images within a distance of the nearest used and the nearest unused training image"


def calibration_picture(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return a data URI of sources' shares by mixing weight, a panel for each noise, and what it shows."""
    noises = list(dict.fromkeys(each["noise"] for each in result["calibrations"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_INCHES[0] * len(noises), _INCHES[1]), layout="constrained")
        for axes, noise in zip(figure.subplots(1, len(noises), squeeze=False)[0], noises, strict=True):
            axes.plot([0, 1], [0, 1], color=PALETTE[7], linestyle="--", linewidth=0.8, label="share = weight")
            at = [each for each in result["calibrations"] if each["noise"] == noise]
            for each, colour in zip(at, PALETTE, strict=False):
                means = [[one[name]["mean"] for one in each["bins"]] for name in ("weight", "share")]
                axes.plot(*means, color=colour, marker="o", markersize=3, label=f"tau {each['temperature']:.3g}")
            axes.set_title(f"noise {noise:g}", fontsize=9)
            axes.set_xlabel("mixing weight of a source")
            axes.set_ylabel("its share of the credit")
            axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
            axes.grid(color=GRID, linewidth=0.8)
            axes.spines[:].set_visible(False)
            axes.legend(frameon=False)
        uri = _data_uri(figure)
    return uri, "mean share of credit of true sources, by the part that they have in the image"


def credits_picture(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return a data URI of owners' credits over their Shapley values, by division, and what it shows."""
    divisions = result["divisions"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_INCHES[1] * len(divisions), _INCHES[1]), layout="constrained")
        for axes, division in zip(figure.subplots(1, len(divisions), squeeze=False)[0], divisions, strict=True):
            values, earned = ([each[what] for each in division["owners"]] for what in ("shapley", "credit"))
            axes.scatter(values, earned, color=PALETTE[0], s=14)
            axes.set_title(f"{division['division']}, seed {division['first_seed']}", fontsize=9)
            axes.set_xlabel("Shapley value")
            axes.set_ylabel("share of all credits")
            axes.set_ylim(bottom=0)
            axes.grid(color=GRID, linewidth=0.8)
            axes.spines[:].set_visible(False)
        uri = _data_uri(figure)
    return uri, "share of all credits of each owner, over its Shapley value"


def _data_uri(figure: Figure) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg(figure).encode()).decode()
