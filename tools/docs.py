"""Write what is made from code: pages of docs/, the worker's env file, and the dashboards and alert rules of deploy/.

With --check nothing is written and the exit code is 1 if a page is outdated; `make check` uses it.
"""

import difflib
import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from endpoints import StaleTable, endpoints_page
from monitoring.dashboards import DASHBOARDS, dashboard_json
from monitoring.rules import alerts_page, grafana_rules, prometheus_rules
from moving.guides import older_guides_page
from moving.page import older_variables_page
from reproduce import robustness_page
from worker_release.env_file import env_file
from workerpool_core.domain import blame, diagrams
from workerpool_core.domain.explanations import reasons
from workerpool_kit.settings.base import Settings, Variables
from workerpool_kit.settings.reference import settings_table

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {
    "core": "CoreSettings",
    "chain_adapter": "ChainAdapterSettings",
    "result_proxy": "ResultProxySettings",
    "sms": "SmsSettings",
    "registry": "RegistrySettings",
    "order_publisher": "OrderPublisherSettings",
    "worker": "WorkerSettings",
}


TOOLS = {"poolctl": ("poolctl.settings", "PoolctlSettings")}
"""Programs that are no service, with the module and the class of their settings."""


def settings_page() -> str:
    """Return the table of every environment variable of every process."""
    parts = [
        "# Settings\n\nMade by `make docs` from the services' settings classes; do not edit.\n\n"
        "Every process is configured by environment variables. A secret `NAME` can also be set as `NAME_FILE`,\n"
        "the path of a file that holds it. An unknown variable with a service's own prefix is refused.\n"
    ]
    for service, name in SERVICES.items():
        settings: type[Settings] = getattr(importlib.import_module(f"workerpool_{service}.settings"), name)
        parts.append(f"\n## {service}\n\n{settings_table(settings).strip()}\n")
    for tool, (module, name) in TOOLS.items():
        variables: type[Variables] = getattr(importlib.import_module(module), name)
        parts.append(f"\n## {tool}\n\n{settings_table(variables).strip()}\n")
    return "".join(parts)


def machines_page() -> str:
    """Return the statuses of tasks and replicates as diagrams."""
    return (
        "# State machines\n\n"
        "Made by `make docs` from the tables in `services/core/src/workerpool_core/domain`; do not edit.\n\n"
        f"{diagrams.document()}\n"
    )


def blame_page() -> str:
    """Return the table of blame."""
    return (
        "# Blame\n\n"
        "Made by `make docs` from `services/core/src/workerpool_core/domain/blame.py`, and the sides from\n"
        "`libs/poco/src/workerpool_poco/protocol/causes.py`; do not edit.\n\n"
        "Each failure that a worker reports has a cause. The table shows who is at fault, what happens to the task,\n"
        "and whether the failure counts towards the quarantine of the worker. With trust 1 an error result is\n"
        "contributed once a second worker saw the same failure, when there is one. An app that ran out of memory is\n"
        "tried again only in a larger slot. WORKERPOOL_CORE_ERROR_RESULTS turns error results off.\n\n"
        f"{blame.document()}\n"
    )


def reasons_page() -> str:
    """Return the table of reasons."""
    return (
        "# Reasons\n\n"
        "Made by `make docs` from `services/core/src/workerpool_core/domain/explanations/reasons.py`; do not edit.\n\n"
        "Every task that waits or failed, every worker that gets no work, and a pool as a whole have a reason: a\n"
        "code, whose side it is on, a sentence, evidence, and what would change it. `GET /tasks/{id}`, `TaskService`,\n"
        "`PoolService` and `DealService` all return the same one. Evidence without a value is left out. The side of a\n"
        "failure with a cause is that of the cause ([blame.md](blame.md)).\n\n"
        f"{reasons.document()}\n"
    )


PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_page,
    "docs/state-machines.md": machines_page,
    "docs/blame.md": blame_page,
    "docs/reasons.md": reasons_page,
    "docs/endpoints.md": endpoints_page,
    "docs/robustness.md": robustness_page,
    "docs/alerts.md": alerts_page,
    "docs/older-variables.md": older_variables_page,
    "docs/older-guides.md": older_guides_page,
    "services/worker/packaging/poolworker.env": env_file,
    "deploy/prometheus/rules/alerts.yml": prometheus_rules,
    "deploy/grafana/provisioning/alerting/rules.yml": grafana_rules,
    **{f"deploy/grafana/dashboards/{name}.json": partial(dashboard_json, name) for name in DASHBOARDS},
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; return the exit code."""
    stale = 0
    for name, page in PAGES.items():
        try:
            path, text = ROOT / name, page()
        except StaleTable as problem:
            sys.stderr.write(f"{name}: {problem}\n")
            return 1
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if "--check" in arguments:
            sys.stderr.write(f"{name} is out of date: run `make docs`\n")
            found = path.read_text().splitlines() if path.exists() else []
            sys.stderr.writelines(f"{line}\n" for line in difflib.unified_diff(found, text.splitlines(), n=0))
        else:
            path.write_text(text)
            sys.stderr.write(f"{name} written\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
