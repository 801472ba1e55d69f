"""The dashboards: they fit their grid, and what is provisioned agrees with the files of deploy/."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring.dashboards import DASHBOARDS, dashboard_json, panel_queries
from monitoring.panels import DATA_SOURCE, WIDTH

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
PORTS = {
    "prometheus": 9090,
    "core": 13000,
    "core-workers": 13000,
    "chain-adapter": 13010,
    "result-proxy": 13200,
    "registry": 8888,
    "sms": 13300,
    "order-publisher": 13400,
}
"""The jobs with a fixed target, and the documented port of each (docs/addresses.md, README.md)."""


def provisioned(name: str) -> Any:
    return yaml.safe_load((DEPLOY / "grafana" / "provisioning" / name).read_text())


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_fill_the_grid_and_are_explained(name: str) -> None:
    document = json.loads(dashboard_json(name))
    assert document["uid"] == f"workerpool-{name}"
    widths: defaultdict[int, int] = defaultdict(int)
    for panel in document["panels"]:
        widths[panel["gridPos"]["y"]] += panel["gridPos"]["w"]
        assert panel["type"] == "row" or panel["description"].endswith(".")
        assert panel["type"] == "row" or panel["datasource"]["uid"] == DATA_SOURCE
    assert set(widths.values()) == {WIDTH}
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)


def test_queries_are_named_by_dashboard_panel_and_reference() -> None:
    documents = {name: json.loads(dashboard_json(name)) for name in DASHBOARDS}
    names = [query.name for query in panel_queries(documents)]
    assert len(set(names)) == len(names)
    assert "pool: Workers alive A" in names


def test_the_seed_s_dashboard_is_there() -> None:
    """Active workers, CPUs, completed tasks and their ratio, completed per hour, the table of workers."""
    titles = {name: _titles(name) for name in DASHBOARDS}
    assert {
        "Workers alive",
        "CPUs",
        "Tasks by status",
        "Completed in an hour",
        "Completed of ended",
        "Ended tasks per hour",
    } <= titles["pool"]
    assert {"Workers", "Running tasks", "Completed replicates per hour"} <= titles["workers"]


def _titles(name: str) -> set[str]:
    return {panel["title"] for panel in json.loads(dashboard_json(name))["panels"]}


def test_the_data_source_of_the_panels_is_provisioned() -> None:
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    assert (source["uid"], source["type"]) == (DATA_SOURCE, "prometheus")


def test_alerts_go_to_the_provisioned_contact_point() -> None:
    content = provisioned("alerting/contact-point.yml")
    names = {point["name"] for point in content["contactPoints"]}
    (policy,) = content["policies"]
    assert {policy["receiver"], *(route["receiver"] for route in policy["routes"])} == names
    (matcher,) = policy["routes"][0]["object_matchers"]
    assert matcher == ["severity", "=", "critical"]


def test_every_process_of_a_pool_is_scraped_at_its_documented_port() -> None:
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"][0] for job in jobs if "static_configs" in job
    }
    assert {name: int(target.rpartition(":")[2]) for name, target in targets.items()} == PORTS
    assert {job["job_name"] for job in jobs} == {*PORTS, "worker"}
    for job in jobs:
        for discovery in job.get("file_sd_configs", ()):
            (pattern,) = discovery["files"]
            assert list((DEPLOY / "prometheus").glob(pattern)), pattern


def test_queries_name_only_jobs_that_are_scraped() -> None:
    jobs = {
        job["job_name"]
        for job in yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    }
    texts = "".join(path.read_text() for path in DEPLOY.rglob("*") if path.suffix in (".json", ".yml"))
    named = set(re.findall(r'job=\\?"([\w-]+)\\?"', texts))
    assert named
    assert named <= jobs


def test_compose_mounts_the_folders_and_sets_every_variable_of_the_provisioning() -> None:
    services = yaml.safe_load((DEPLOY.parent / "compose.yaml").read_text())["services"]
    used = {
        name
        for path in (DEPLOY / "grafana" / "provisioning").rglob("*.yml")
        for name in re.findall(r"^[^#\n]*\$\{(\w+)\}", path.read_text(), re.MULTILINE)
    }
    assert used == {"GRAFANA_ALERT_TYPE", "GRAFANA_ALERT_TO"}
    assert used <= set(services["grafana"]["environment"]), "Grafana refuses a contact point without them"
    (provider,) = provisioned("dashboards/workerpool.yml")["providers"]
    mounted = {
        place: folder for folder, place, _ in (each.split(":") for each in services["grafana"]["volumes"][:2])
    }
    assert mounted == {
        "/etc/grafana/provisioning": "./deploy/grafana/provisioning",
        provider["options"]["path"]: "./deploy/grafana/dashboards",
    }
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/pool.json"
    assert "./deploy/prometheus:/etc/prometheus:ro" in services["prometheus"]["volumes"]
    assert "prometheus" in services["core"]["environment"]["IEXEC_CORE_MANAGEMENT_ACTUATORS"]


def test_prometheus_finds_every_job_by_the_name_of_its_container() -> None:
    services = yaml.safe_load((DEPLOY.parent / "compose.yaml").read_text())["services"]
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    hosts = {
        target.partition(":")[0]
        for job in jobs
        for static in job.get("static_configs", ())
        for target in static["targets"]
    }
    assert hosts - {"localhost"} <= set(services)
