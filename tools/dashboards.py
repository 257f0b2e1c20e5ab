"""Writes the chart's files/dashboards/*.json from gmv's panels: `python -m tools.dashboards`."""

from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final, cast

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as enums
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableRefresh,
)

from gmv.dashboards.all import DASHBOARDS
from gmv.dashboards.panels import Colour, Dashboard, Kind, Panel, Row, Scale, scoped

FOLDER: Final = Path(__file__).parent.parent / "helm" / "gmv" / "files" / "dashboards"
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG: Final = "gmv"
HEIGHTS: Final = {Kind.STAT: 4, Kind.LINES: 8, Kind.STACK: 8, Kind.BARS: 8}

AnyPanel = stat.Panel | timeseries.Panel | bargauge.Panel


def selectors(page: Dashboard) -> dict[str, str]:
    """Return the matchers by the beginning of a metric's name; an audit has another job than the workers it is for."""
    worker = ', instance=~"$instance"' if page.worker_is_chosen else ""
    ours = f'namespace=~"$namespace", job=~"$job"{worker}'
    return {"gmv_ledger_": 'namespace=~"$namespace"', "gmv_": ours, "process_": ours}


def in_grafana(page: Dashboard, expression: str) -> str:
    """Return PromQL with the page's variables in it."""
    matchers = selectors(page)
    return scoped(expression, lambda name: next(matchers[prefix] for prefix in matchers if name.startswith(prefix)))


def build(page: Dashboard) -> str:
    """Return a dashboard as Grafana's JSON."""
    made = (
        dashboard.Dashboard(page.title)
        .uid(page.uid)
        .description(page.description)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("30s")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("gmv")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
            .include_vars(True)
        )
    )
    for variable in _variables(page):
        made = made.with_variable(variable)
    numbers = iter(range(1, 1_000))
    for row in page.rows:
        made = made.with_row(dashboard.Row(row.title).id(next(numbers)))
        for panel in row.panels:
            made = made.with_panel(_panel(page, row, panel).id(next(numbers)))
    return JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False).encode(made.build()) + "\n"


def _variables(page: Dashboard) -> Iterator[Any]:
    yield dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    # Prometheus outside of Kubernetes knows no namespace; a label that is not there matches `.*`.
    yield _label("namespace", "Namespace", "label_values(gmv_build_info, namespace)").all_value(".*")
    yield _label("job", "Job", 'label_values(gmv_build_info{namespace=~"$namespace"}, job)')
    if page.worker_is_chosen:
        query = 'label_values(gmv_build_info{namespace=~"$namespace", job=~"$job"}, instance)'
        yield _label("instance", "Worker", query)


def _label(name: str, title: str, query: str) -> dashboard.QueryVariable:
    everything: Any = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return (
        dashboard.QueryVariable(name)
        .label(title)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .current(everything)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
    )


def _panel(page: Dashboard, row: Row, panel: Panel) -> AnyPanel:
    made: Any = {Kind.STAT: _stat, Kind.BARS: _bars, Kind.LINES: _lines, Kind.STACK: _stack}[panel.kind](panel)
    made = (
        made.title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(SOURCE)
        .span(panel.width)
        .height(HEIGHTS[panel.kind])
        .thresholds(_thresholds(panel.scale))
    )
    if panel.minimum is not None:
        made = made.min(panel.minimum)
    if panel.maximum is not None:
        made = made.max(panel.maximum)
    for letter, (legend, expression) in zip(ascii_uppercase, panel.queries.items(), strict=False):
        query = prometheus.Dataquery().ref_id(letter).expr(in_grafana(page, expression)).legend_format(legend)
        made = made.with_target(query.instant() if panel.kind is Kind.BARS else query.range())
    for series, colour in panel.colours.items():
        made = made.override_by_name(series, [DynamicConfigValue(id_val="color", value=_fixed(colour))])
    return cast(AnyPanel, made)


def _stat(panel: Panel) -> stat.Panel:
    made = (
        stat.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(enums.BigValueColorMode.BACKGROUND if panel.scale.steps else enums.BigValueColorMode.VALUE)
        .graph_mode(enums.BigValueGraphMode.NONE if panel.words else enums.BigValueGraphMode.AREA)
    )
    if not panel.words:
        return made
    words = {
        str(value): ValueMappingResult(text=word, index=index)
        for index, (value, word) in enumerate(panel.words.items())
    }
    return made.mappings([ValueMap(options=words)])


def _bars(panel: Panel) -> bargauge.Panel:
    return (
        bargauge.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .orientation(enums.VizOrientation.HORIZONTAL)
        .display_mode(enums.BarGaugeDisplayMode.BASIC)
    )


def _lines(panel: Panel) -> timeseries.Panel:
    made = _diagram().fill_opacity(8)
    if panel.scale.steps:
        dashed = common.GraphThresholdsStyleConfig().mode(enums.GraphThresholdsStyleMode.DASHED)
        made = made.thresholds_style(dashed)
    return made


def _stack(panel: Panel) -> timeseries.Panel:
    return _diagram().fill_opacity(60).stacking(common.StackingConfig().mode(enums.StackingMode.NORMAL))


def _diagram() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .line_width(1)
        .show_points(enums.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(enums.LegendDisplayMode.TABLE)
            .placement(enums.LegendPlacement.BOTTOM)
            .calcs(["mean", "max", "lastNotNull"])
        )
        .tooltip(common.VizTooltipOptions().mode(enums.TooltipDisplayMode.MULTI).sort(enums.SortOrder.DESCENDING))
    )


def _thresholds(scale: Scale) -> dashboard.ThresholdsConfig:
    steps = [Threshold(value=None, color=scale.base)]
    steps += [Threshold(value=value, color=colour) for value, colour in scale.steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _fixed(colour: Colour) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": str(colour)}


def files() -> dict[Path, str]:
    """Return the text of every file, by where it belongs."""
    return {FOLDER / f"{page.uid.removeprefix('gmv-')}.json": build(page) for page in DASHBOARDS}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    written = files()
    for old in {*FOLDER.glob("*.json")} - written.keys():
        old.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
