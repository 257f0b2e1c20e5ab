"""Asks Prometheus, by its HTTP interface."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from gmv.errors import MetricsUnavailable
from gmv.settings import redact

_ANSWER_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, in Unix seconds.

    Attributes:
        start: its beginning.
        end: its end.
        step: between two points of a diagram.
        scrape: between two scrapes; rates look back over four of them at least, as Grafana has it.
    """

    start: float
    end: float
    step: float
    scrape: float

    @property
    def rate(self) -> str:
        """What Grafana puts for `$__rate_interval`."""
        return f"{math.ceil(max(self.step + self.scrape, 4 * self.scrape) * 1_000)}ms"


@dataclass(frozen=True, slots=True)
class Series:
    """One line.

    Attributes:
        labels: by which it differs from others.
        times: Unix seconds.
        values: finite numbers; moments without one are left out.
    """

    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float]

    def named(self, legend: str) -> str:
        """Return a legend with the values of its labels."""
        return re.sub(r"{{(\w+)}}", lambda found: self.labels.get(found[1], ""), legend)


class Prometheus:
    """A server.

    Every method raises `MetricsUnavailable`.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise MetricsUnavailable(f"{redact(url)!r} is no address of a Prometheus; http://host:9090 would be one")
        self.url = redact(url).rstrip("/")
        self._root = url.rstrip("/")

    def series(self, expression: str, window: Window) -> list[Series]:
        """Return what a query has over a window, without the series that have nothing in it."""
        query = expression.replace("$__rate_interval", window.rate)
        asked = {"query": query, "start": window.start, "end": window.end, "step": window.step}
        found = [_series(matrix) for matrix in self._ask("query_range", asked)["result"]]
        return [series for series in found if series.values]

    def _ask(self, what: str, parameters: Mapping[str, Any]) -> Any:
        request = Request(f"{self._root}/api/v1/{what}", urlencode(parameters).encode())  # noqa: S310 - http, see above
        try:
            with urlopen(request, timeout=_ANSWER_SECONDS_MAX) as answer:  # noqa: S310
                return json.load(answer)["data"]
        except HTTPError as error:
            reason = error.read().decode(errors="replace")[:500]
            raise MetricsUnavailable(f"{self.url} refused a query ({error.code}): {reason}") from error
        except (URLError, TimeoutError, ValueError, KeyError) as error:
            raise MetricsUnavailable(f"{self.url} does not answer as a Prometheus does: {error}") from error


def _series(matrix: Mapping[str, Any]) -> Series:
    points = [(float(time), float(value)) for time, value in matrix["values"]]
    finite = [(time, value) for time, value in points if math.isfinite(value)]
    return Series(matrix["metric"], [time for time, _ in finite], [value for _, value in finite])
