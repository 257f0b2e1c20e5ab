"""Pictures of results: RA1's, as the poster's Figure 1, and of shares against mixing weights."""

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


def _data_uri(figure: Figure) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg(figure).encode()).decode()
