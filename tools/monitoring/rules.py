"""The alerts as files: rules of Prometheus, rules of Grafana that reach a contact point, and a page for operators."""

from typing import Any

import yaml

from monitoring.alert import Alert
from monitoring.alerts import GROUPS
from monitoring.panels import DATA_SOURCE

_HEAD = "# Made by `make docs` from tools/monitoring/alerts.py; do not edit.\n"
_EVALUATORS = {">": "gt", "<": "lt"}
_RANGE_S = 600


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def prometheus_rules() -> str:
    """Return the rule file of Prometheus."""
    groups = [
        {"name": name, "rules": [_prometheus_rule(alert) for alert in alerts]}
        for name, alerts in GROUPS.items()
    ]
    return _yaml({"groups": groups})


def _prometheus_rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        **({"for": alert.lasts} if alert.lasts != "0s" else {}),
        "labels": {"severity": alert.severity},
        "annotations": _texts(alert),
    }


def grafana_rules() -> str:
    """Return the provisioned rules of Grafana, which send what fires to the contact point."""
    groups = [
        {
            "orgId": 1,
            "name": name,
            "folder": "Workerpool",
            "interval": "1m",
            "rules": [_grafana_rule(alert) for alert in alerts],
        }
        for name, alerts in GROUPS.items()
    ]
    return _yaml({"apiVersion": 1, "groups": groups})


def _grafana_rule(alert: Alert) -> dict[str, Any]:
    value = {"refId": "A", "expr": alert.value, "instant": True, "range": False}
    evaluator = {"type": _EVALUATORS[alert.beyond], "params": [alert.limit]}
    threshold = {
        "refId": "B",
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": evaluator}],
    }
    return {
        "uid": f"workerpool-{alert.name.lower()}",
        "title": alert.name,
        "condition": "B",
        "data": [_data("A", DATA_SOURCE, value), _data("B", "__expr__", threshold)],
        "for": alert.lasts,
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": {"severity": alert.severity},
        "annotations": _texts(alert),
    }


def _data(ref: str, source: str, model: dict[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref,
        "relativeTimeRange": {"from": _RANGE_S, "to": 0},
        "datasourceUid": source,
        "model": model,
    }


def _texts(alert: Alert) -> dict[str, str]:
    return {
        "summary": alert.templated(alert.what),
        "description": alert.templated(alert.why),
        "next_step": alert.templated(alert.next_step),
    }


def alerts_page() -> str:
    """Return the page that explains each alert: what it means, why it matters, and what to do."""
    parts = [
        "# Alerts: what to do when …\n\n"
        "Made by `make docs` from `tools/monitoring/alerts.py`; do not edit.\n\n"
        "Prometheus evaluates these rules (`deploy/prometheus/rules`) and shows them at `/alerts`. Grafana evaluates\n"
        "the same and sends what fires to its contact point ([monitoring.md](monitoring.md)).\n"
    ]
    for name, alerts in GROUPS.items():
        parts.append(f"\n## {name.capitalize()}\n")
        for alert in alerts:
            lasts = f", for {alert.lasts}" if alert.lasts != "0s" else ""
            parts.append(
                f"\n### {alert.name}\n\n"
                f"{alert.plain(alert.what)} {alert.plain(alert.why)}\n\n"
                f"**Do:** {alert.plain(alert.next_step)}\n\n"
                f"Fires ({alert.severity}) when `{alert.expression}`{lasts}.\n"
            )
    return "".join(parts)


def _yaml(document: dict[str, Any]) -> str:
    return _HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=118, allow_unicode=True)
