"""The picture of RA1, as the poster's Figure 1: how near drawn images are to used and to unused ones."""

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
        drawing = svg(figure)
    uri = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
    return uri, "share of drawn images within a distance of the nearest used and the nearest unused training image"
