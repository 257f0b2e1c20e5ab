"""Diagrams, and the page around them, without a Prometheus."""

import pytest

from gmv.dashboards.all import DASHBOARDS
from gmv.dashboards.panels import Kind, Panel, Unit
from gmv.dashboards.pictures import diagram, lines_of
from gmv.dashboards.prometheus import Series, Window
from gmv.dashboards.report import view_of

WINDOW = Window(1_800_000_000.0, 1_800_000_060.0, 10.0, 5.0)
TIMES = [1_800_000_000.0, 1_800_000_010.0, 1_800_000_060.0]  # with a gap


def found(panel: Panel, value: float) -> dict[str, list[Series]]:
    return {legend: [Series({"stage": "commit"}, TIMES, [value, 0.0, value])] for legend in panel.queries}


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_every_panel_is_drawn_whatever_its_values(value: float) -> None:
    for page in DASHBOARDS:
        for panel in page.panels():
            view = view_of(panel, found(panel, value), WINDOW)
            assert view.rows or view.value != "no data", panel.title


def test_a_panel_without_data_says_so() -> None:
    panel = Panel(Kind.STAT, "title", Unit.COUNT, {"a": "b"}, "description.")
    assert view_of(panel, {"a": []}, WINDOW).value == "no data"


def test_the_same_picture_is_the_same_bytes() -> None:
    panel = Panel(Kind.LINES, "title", Unit.COUNT, {"{{stage}}": "b"}, "description.")
    lines = lines_of(panel, found(panel, 2.0))
    assert [line.name for line in lines] == ["commit"]
    assert diagram(panel, lines, WINDOW) == diagram(panel, lines, WINDOW)


def test_rates_look_back_as_far_as_grafana_does() -> None:
    assert Window(0.0, 1.0, 15.0, 15.0).rate == "60000ms"
    assert Window(0.0, 1.0, 300.0, 15.0).rate == "315000ms"
