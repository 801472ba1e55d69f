"""Panels of dashboards in one style, made with Grafana's SDK."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATA_SOURCE = "prometheus"
"""The uid of the data source, as deploy/grafana/provisioning names it."""
GREEN, YELLOW, RED = "green", "yellow", "red"
WIDTH = 24
"""Columns of a dashboard's grid."""
_REFS = "ABCDEFGH"
_SOURCE = DataSourceRef(type_val="prometheus", uid=DATA_SOURCE)


class Query(NamedTuple):
    """A PromQL expression and the name of each of its series in a legend, with labels as `{{label}}`."""

    expression: str
    legend: str = ""


class Column(NamedTuple):
    """One column of a table: its title, the label or query it shows, and the unit of its values."""

    title: str
    source: str
    unit: str = ""


class Page:
    """A dashboard in the making. Panels are placed from left to right; a row of panels is 24 columns wide."""

    def __init__(self, uid: str, title: str, description: str) -> None:
        """Start a dashboard of the last six hours, which reloads each minute, with links to the others."""
        self._next_id = 1
        links = dashboard.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags(["workerpool"])
        self._dashboard = (
            dashboard.Dashboard(title)
            .uid(uid)
            .description(description)
            .tags(["workerpool"])
            .timezone("browser")
            .time("now-6h", "now")
            .refresh("1m")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .readonly()
            .link(links.as_dropdown(True).keep_time(True))
        )

    def row(self, title: str) -> None:
        """Start a row with a title."""
        self._dashboard.with_row(dashboard.Row(title).id(self._id()))

    def number(
        self,
        title: str,
        expression: str,
        description: str,
        *,
        unit: str = "short",
        width: int = 4,
        warn_at: float | None = None,
        fail_at: float | None = None,
    ) -> None:
        """Add one large number. It turns yellow and red from `warn_at` and `fail_at` on, downwards when fail < warn."""
        panel = (
            stat.Panel()
            .id(self._id())
            .title(title)
            .description(description)
            .datasource(_SOURCE)
            .with_target(_target(Query(expression), "A"))
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
            .graph_mode(BigValueGraphMode.AREA)
            .unit(unit)
            .no_value("none")
            .thresholds(_thresholds(warn_at, fail_at))
            .span(width)
            .height(4)
        )
        self._dashboard.with_panel(panel)

    def graph(
        self,
        title: str,
        queries: Sequence[Query],
        description: str,
        *,
        unit: str = "short",
        width: int = 12,
        stacked: bool = False,
    ) -> None:
        """Add curves over time, with the last and the largest value of each below."""
        legend = (
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
        panel = (
            timeseries.Panel()
            .id(self._id())
            .title(title)
            .description(description)
            .datasource(_SOURCE)
            .targets(_targets(queries))
            .unit(unit)
            .min(0)
            .line_width(1)
            .fill_opacity(30 if stacked else 5)
            .legend(legend)
            .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
            .span(width)
            .height(8)
        )
        if stacked:
            panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
        self._dashboard.with_panel(panel)

    def table(
        self,
        title: str,
        queries: Sequence[Query],
        columns: Sequence[Column],
        description: str,
        *,
        key: str,
        height: int = 10,
        link: str = "",
    ) -> None:
        """Add a table of the current values: one line for each value of the label `key`.

        A column shows a label of the first query by its name, or the value of a query as `Value #A`, `Value #B` …
        `link` opens for a line; `${__value.raw}` in it is the value of the key.
        """
        names = {column.source: column.title for column in columns}
        order = {column.source: place for place, column in enumerate(columns)}
        panel = (
            table.Panel()
            .id(self._id())
            .title(title)
            .description(description)
            .datasource(_SOURCE)
            .targets(_targets(queries, table=True))
            .transformations(
                [
                    *_joined(queries, key),
                    DataTransformerConfig("filterFieldsByName", options={"include": {"names": list(names)}}),
                    DataTransformerConfig("organize", options={"indexByName": order, "renameByName": names}),
                ]
            )
            .filterable(True)
            .span(WIDTH)
            .height(height)
        )
        for column in columns:
            properties = [DynamicConfigValue("unit", column.unit)] if column.unit else []
            if link and column.source == key:
                properties.append(DynamicConfigValue("links", [{"title": "Show", "url": link}]))
            if properties:
                panel.override_by_name(column.title, properties)
        self._dashboard.with_panel(panel)

    def choice(self, name: str, label: str, expression: str) -> None:
        """Add a variable whose values are those of a label; `All` is every value."""
        self._dashboard.with_variable(
            dashboard.QueryVariable(name)
            .label(label)
            .datasource(_SOURCE)
            .query(expression)
            .include_all(True)
            .all_value(".*")
            .multi(True)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        )

    def label(self, name: str, label: str, expression: str) -> None:
        """Show the value of a label at the head of the dashboard."""
        self._dashboard.with_variable(
            dashboard.QueryVariable(name)
            .label(label)
            .datasource(_SOURCE)
            .query(expression)
            .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        )

    def build(self) -> dashboard.Dashboard:
        """Return the dashboard's builder."""
        return self._dashboard

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def quantiles(histogram: str, by: str = "", selector: str = "") -> list[Query]:
    """Return the median and the 95th percentile of a histogram, for each value of the label `by`."""
    group = f"le, {by}" if by else "le"
    name = f"{{{{{by}}}}} " if by else ""
    return [
        Query(
            f"histogram_quantile({rank}, sum by ({group}) (rate({histogram}_bucket{selector}[$__rate_interval])))",
            f"{name}{word}",
        )
        for rank, word in ((0.5, "median"), (0.95, "95 %"))
    ]


def _joined(queries: Sequence[Query], key: str) -> list[DataTransformerConfig]:
    join = DataTransformerConfig("joinByField", options={"byField": key, "mode": "outer"})
    return [join] if len(queries) > 1 else []


def _targets(queries: Sequence[Query], *, table: bool = False) -> list[Any]:
    refs = _REFS[: len(queries)]
    return [_target(query, ref, table=table) for query, ref in zip(queries, refs, strict=True)]


def _target(query: Query, ref: str, *, table: bool = False) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(ref).datasource(_SOURCE).expr(query.expression)
    if query.legend:
        target.legend_format(query.legend)
    return target.instant().format(PromQueryFormat.TABLE) if table else target.range()


def _thresholds(warn_at: float | None, fail_at: float | None) -> dashboard.ThresholdsConfig:
    """Return green, then yellow and red from the given values on; the other way round when fail < warn."""
    if warn_at is None or fail_at is None:
        steps = [Threshold(None, GREEN)]
    elif fail_at < warn_at:
        steps = [Threshold(None, RED), Threshold(fail_at, YELLOW), Threshold(warn_at, GREEN)]
    else:
        steps = [Threshold(None, GREEN), Threshold(warn_at, YELLOW), Threshold(fail_at, RED)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
