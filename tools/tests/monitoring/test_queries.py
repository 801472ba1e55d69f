"""Every query of the dashboards and alerts reads series that the code serves, by labels that they have."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from code_metrics import metrics_of_code
from monitoring.alert import Alert
from monitoring.alerts import ALERTS
from monitoring.dashboards import DASHBOARDS, dashboard_json, panel_queries
from promql import filled_in, grouping_labels, selectors, values_of_label

ROOT = Path(__file__).resolve().parents[3]


def queries() -> Iterator[tuple[str, str]]:
    """Yield the name and expression of every query."""
    documents = {name: json.loads(dashboard_json(name)) for name in DASHBOARDS}
    for query in panel_queries(documents):
        yield query.name, filled_in(query.expression)
    for name, document in documents.items():
        for variable in document["templating"].get("list", ()):
            yield f"{name}: variable {variable['name']}", values_of_label(variable["query"])[0]
    for alert in ALERTS:
        yield f"alert {alert.name}", alert.expression


QUERIES = dict(queries())


def test_there_is_a_query_for_each_panel() -> None:
    assert len(QUERIES) > 100


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_series_of_the_code(name: str) -> None:
    served = metrics_of_code()
    read = selectors(QUERIES[name])
    assert [found.name for found in read if found.name not in served] == []
    assert {found.text: found.labels - served[found.name] for found in read} == {
        found.text: set() for found in read
    }
    known = set().union(*(served[found.name] for found in read))
    assert grouping_labels(QUERIES[name]) <= known


def test_a_query_of_an_unknown_series_is_found() -> None:
    assert "workerpool_core_workerz" not in metrics_of_code()
    (found,) = selectors("rate(workerpool_core_workerz[5m])")
    assert found.name == "workerpool_core_workerz"


def test_labels_of_aggregations_and_joins_are_found() -> None:
    assert grouping_labels("sum by (side) (a) / on (job) b") == {"side", "job"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_text_names_only_labels_of_its_series(alert: Alert) -> None:
    served = metrics_of_code()
    read = selectors(alert.expression)
    kept = grouping_labels(alert.value) or set().union(*(served[found.name] for found in read))
    assert alert.labels <= kept, "a text names a label that the series lacks"


def test_the_table_of_metrics_in_the_documents_names_series_of_the_code() -> None:
    served = metrics_of_code()
    text = (ROOT / "docs" / "monitoring.md").read_text()
    named = {
        word.partition("{")[0] for word in text.split("`")[1::2] if word.startswith(("workerpool_", "iexec_"))
    }
    assert named
    assert [name for name in sorted(named) if name not in served and "*" not in name] == []
