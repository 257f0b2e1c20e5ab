"""Diagrams, and the page around them, without a Prometheus."""

import pytest

from gmv.dashboards.all import DASHBOARDS
from gmv.dashboards.panels import Colour, Kind, Panel, Scale, Unit
from gmv.dashboards.pictures import COLOURS, diagram, lines_of, ticks
from gmv.dashboards.prometheus import Series, Window
from gmv.dashboards.report import firing, view_of

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


@pytest.mark.parametrize(
    ("unit", "highest", "marked"),
    [
        (Unit.BYTES, 800.0 * 2**20, [0.0, 2.0**28, 2.0**29, 3 * 2.0**28]),
        (Unit.SECONDS, 290.0, [0.0, 60.0, 120.0, 180.0, 240.0]),
        (Unit.SECONDS, 0.0, [0.0]),
        (Unit.SECONDS, 1e6, [0.0, 259_200.0, 518_400.0, 777_600.0]),
        (Unit.COUNT, 100.0, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
    ],
)
def test_an_axis_is_marked_at_round_numbers_of_its_unit(unit: Unit, highest: float, marked: list[float]) -> None:
    found = ticks(unit, highest).tick_values(0.0, highest or 1e-9)
    assert [value for value in found if 0.0 <= value <= highest] == marked


def test_bars_have_the_colour_of_their_size_and_nothing_is_no_bar() -> None:
    panel = Panel(
        Kind.BARS, "title", Unit.COUNT, {"{{stage}}": "b"}, "d.", scale=Scale(Colour.GREEN, ((1, Colour.RED),))
    )
    rows = [
        view_of(panel, {"{{stage}}": [Series({"stage": "s"}, [0.0], [value])]}, WINDOW).rows[0] for value in (0.0, 2.0)
    ]
    assert [(row.colour, row.length) for row in rows] == [(COLOURS[Colour.GREEN], 0.0), (COLOURS[Colour.RED], 1.0)]


@pytest.mark.parametrize(("last", "until"), [(WINDOW.end, "still"), (WINDOW.end - WINDOW.step, "2027-01-15 08:00:50")])
def test_an_alert_fires_still_where_it_does_at_the_end(last: float, until: str) -> None:
    assert firing(Series({"alertname": "GmvNoWorker"}, [WINDOW.start, last], [1.0, 1.0]), WINDOW).until == until
