"""The dashboards by the name of their file, and all queries in them."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from monitoring.chain import chain_page
from monitoring.panels import Page
from monitoring.pool import pool_page
from monitoring.services import services_page
from monitoring.workers import workers_page

DASHBOARDS: dict[str, Callable[[], Page]] = {
    "pool": pool_page,
    "workers": workers_page,
    "chain": chain_page,
    "services": services_page,
}


class PanelQuery(NamedTuple):
    """One query of a dashboard, named by dashboard, panel and reference."""

    name: str
    expression: str
    instant: bool


def dashboard_json(name: str) -> str:
    """Return a dashboard as Grafana imports it."""
    built = DASHBOARDS[name]().build().build()
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def panel_queries(documents: dict[str, dict[str, Any]]) -> Iterator[PanelQuery]:
    """Yield every query of dashboards given as JSON by name."""
    for name, document in documents.items():
        for panel in document["panels"]:
            for target in panel.get("targets", ()):
                title = f"{name}: {panel['title']} {target['refId']}"
                yield PanelQuery(title, target["expr"], bool(target.get("instant")))
