"""Panels: as they lie in the chart, about metrics that exist, and explained."""

import pytest

from gmv.dashboards.all import DASHBOARDS
from gmv.dashboards.panels import GRID_WIDTH, Panel, Unit, scoped
from gmv.dashboards.values import number, word, written
from tests.dashboards.promql_names import every_metric, metrics_in
from tools.dashboards import FOLDER, files

PANELS = [pytest.param(panel, id=f"{page.uid}: {panel.title}") for page in DASHBOARDS for panel in page.panels()]


def test_the_charts_dashboards_are_those_of_the_panels() -> None:
    """Otherwise: `python -m tools.dashboards`."""
    assert {path: path.read_text() for path in FOLDER.glob("*.json")} == files()


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_for_metrics_that_there_are_and_says_what_it_means(panel: Panel) -> None:
    asked = {name for expression in panel.queries.values() for name in metrics_in(expression)}
    assert asked
    assert asked - every_metric() == set()
    assert panel.description.endswith(".")


def test_rows_are_as_wide_as_the_page() -> None:
    for page in DASHBOARDS:
        for row in page.rows:
            assert sum(panel.width for panel in row.panels) % GRID_WIDTH == 0, f"{page.uid}: {row.title}"


def test_every_metric_of_a_query_is_selected_and_nothing_else() -> None:
    expression = 'sum by (gmv) (rate(gmv_a_total{x="1"}[5m])) / on (job) process_b and gmv_c'
    assert scoped(expression, lambda _: 'job="j"') == (
        'sum by (gmv) (rate(gmv_a_total{job="j", x="1"}[5m])) / on (job) process_b{job="j"} and gmv_c{job="j"}'
    )
    assert scoped(expression, lambda _: "") == expression


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0213, Unit.SECONDS, "21.3 ms"),
        (0.0, Unit.SECONDS, "0 s"),
        (90.0, Unit.SECONDS, "1.5 min"),
        (0.125, Unit.RATIO, "12.5 %"),
        (1_536.0, Unit.BYTES, "1.5 KiB"),
        (12_345.0, Unit.COUNT, "12.3 k"),
        (7.0, Unit.EVENTS_PER_SECOND, "7 events/s"),
    ],
)
def test_values_are_short_and_have_their_unit(value: float, unit: Unit, text: str) -> None:
    assert written(value, unit) == text


def test_a_unit_is_said_once_where_it_is_the_same_for_every_size() -> None:
    assert (number(7.0, Unit.EVENTS_PER_SECOND), word(Unit.EVENTS_PER_SECOND)) == ("7", "events/s")
    assert (number(0.5, Unit.SECONDS), word(Unit.SECONDS)) == ("500 ms", "")
