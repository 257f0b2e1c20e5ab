"""What a panel is, for all that draw it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

GRID_WIDTH: Final = 24  # Grafana's


class Kind(StrEnum):
    """How a panel shows its series."""

    STAT = "stat"  # the newest value, large
    LINES = "lines"
    STACK = "stack"  # areas that add up to something
    BARS = "bars"  # the newest value of each series, side by side


class Unit(StrEnum):
    """What values count; the value is Grafana's name for it."""

    COUNT = "short"
    SECONDS = "s"
    RATIO = "percentunit"
    BYTES = "bytes"
    EVENTS_PER_SECOND = "eps"
    RECORDS_PER_SECOND = "recps"
    PER_SECOND = "cps"
    CREDITS = "suffix: credits"
    CREDITS_PER_SECOND = "suffix: credits/s"
    CORES = "suffix: cores"


class Colour(StrEnum):
    """Colours that mean something, by Grafana's names; series that mean nothing of the kind take a palette's."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    BLUE = "blue"
    PURPLE = "purple"


@dataclass(frozen=True, slots=True)
class Scale:
    """Which colour a value has: that of the last threshold it reaches, `base` below all of them."""

    base: Colour
    steps: Sequence[tuple[float, Colour]] = ()

    def colour(self, value: float) -> Colour:
        """Return the colour of a value."""
        reached = [colour for threshold, colour in self.steps if value >= threshold]
        return reached[-1] if reached else self.base


NEUTRAL: Final = Scale(Colour.BLUE)


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Attributes:
        kind: how it is drawn.
        title: what is shown.
        unit: of every series.
        queries: by legend, in which `{{label}}` is a label's value, PromQL without selectors.
        description: what it means, and what a bad value looks like.
        width: of `GRID_WIDTH`.
        scale: colours of a stat or bar; lines in a diagram.
        colours: of series, by legend.
        words: instead of a value, by value.
        minimum: of the axis; None where values can be below 0.
        maximum: of the axis, where the unit has one.
    """

    kind: Kind
    title: str
    unit: Unit
    queries: Mapping[str, str]
    description: str
    width: int = 8
    scale: Scale = NEUTRAL
    colours: Mapping[str, Colour] = field(default_factory=dict)
    words: Mapping[int, str] = field(default_factory=dict)
    minimum: float | None = 0.0
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page.

    Attributes:
        uid: its name in addresses.
        title: its name for people.
        description: which question it answers.
        rows: from what is looked at first to what is looked at last.
        worker_is_chosen: whether a reader may choose among workers.
    """

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    worker_is_chosen: bool = False

    def panels(self) -> Iterator[Panel]:
        """Yield every panel, in order."""
        for row in self.rows:
            yield from row.panels


def quantile(share: float, histogram: str, matchers: str = "") -> str:
    """Return PromQL for a quantile of a histogram over all workers; its name is without `_bucket`."""
    rates = f"rate({histogram}_bucket{matchers}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (le) ({rates}))"


_METRIC = re.compile(r"\b((?:gmv|process)_[a-z_]+|ALERTS)(\{)?")


def scoped(expression: str, selector: Callable[[str], str]) -> str:
    """Return PromQL with a selector put to every metric in it.

    Args:
        expression: as in a panel's `queries`.
        selector: metric name -> matchers, without braces; empty for none.
    """

    def scope(found: re.Match[str]) -> str:
        name, has_matchers = found.groups()
        matchers = selector(name)
        if not matchers:
            return found[0]
        return f"{name}{{{matchers}, " if has_matchers else f"{name}{{{matchers}}}"

    return _METRIC.sub(scope, expression)
