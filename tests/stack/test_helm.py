"""The Helm chart, linted and rendered by Helm: each service understands its settings, and is probed and bounded."""

import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from workerpool_kit.process import STOP_LIMIT_S
from workerpool_kit.settings import environment
from workerpool_kit.settings.base import Settings

from stack.compose_files import ROOT

pytestmark = pytest.mark.soak

HELM, CHART = ROOT / ".cache/bin/helm", ROOT / "deploy/helm/workerpool"
SERVICES = ("core", "chain-adapter", "result-proxy", "registry", "sms", "order-publisher")
SECRETS = {
    *("core-wallet", "core-wallet-password", "chain-adapter-password", "core-operator-password"),
    *("mongo-uri-core", "mongo-uri-chain-adapter", "mongo-uri-result-proxy", "mongo-uri-sms"),
}
VALUES = {
    "pool.address": "0x" + "a1" * 20,
    "urls.core": "https://pool.operator.net",
    "urls.results": "https://result.operator.net",
    "urls.registry": "https://config.operator.net",
    "urls.sms": "https://sms.operator.net",
}
OLDEST = "1.27"
"""The oldest Kubernetes that the chart promises to run on, which has probes over gRPC."""

_LONGEST_END_S = 15.0
"""Seconds after the stop limit until a process is ended whatever its threads do."""


def helm(*arguments: str, code: int = 0) -> str:
    if not HELM.exists():
        pytest.fail("Helm is not built: run `make helm`")
    done = subprocess.run(
        [HELM, *arguments, "--kube-version", OLDEST], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def given(values: dict[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in ("--set-string", f"{name}={value}")]


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    text = helm("template", "pool", str(CHART), *given(VALUES))
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(rendered: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"].removeprefix("pool-"): each for each in rendered if each["kind"] == kind}


def pods(rendered: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, deployment in of_kind(rendered, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        yield name, pod, container


def test_it_passes_the_linter() -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), *given(VALUES))


@pytest.mark.parametrize("missing", VALUES)
def test_a_value_without_a_default_is_required(missing: str) -> None:
    values = {name: value for name, value in VALUES.items() if name != missing}
    assert f"set {missing}" in helm("template", "pool", str(CHART), *given(values), code=1)


def test_every_service_has_a_deployment_ports_and_a_disruption_budget(rendered: list[dict[str, Any]]) -> None:
    for kind in ("Deployment", "Service", "PodDisruptionBudget"):
        assert set(of_kind(rendered, kind)) == set(SERVICES), kind
    assert set(of_kind(rendered, "PersistentVolumeClaim")) == {"sms", "order-publisher"}
    for name, service in of_kind(rendered, "Service").items():
        http, grpc = service["spec"]["ports"]
        assert grpc["port"] == http["port"] + 10_000, name
        selector = service["spec"]["selector"]
        deployment = of_kind(rendered, "Deployment")[name]
        assert selector == deployment["spec"]["selector"]["matchLabels"]
        assert selector == of_kind(rendered, "PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"]


def test_a_single_instance_service_never_has_two_replicas(rendered: list[dict[str, Any]]) -> None:
    for name, deployment in of_kind(rendered, "Deployment").items():
        alone = name not in ("result-proxy", "registry")
        assert (deployment["spec"]["strategy"]["type"] == "Recreate") == alone
        assert (deployment["spec"]["replicas"] == 1) == alone


def test_each_pod_has_grpc_probes_confinement_and_a_grace_period(rendered: list[dict[str, Any]]) -> None:
    for name, pod, container in pods(rendered):
        grpc = next(port["containerPort"] for port in container["ports"] if port["name"] == "grpc")
        for probe in ("startupProbe", "livenessProbe"):
            assert container[probe]["grpc"] == {"port": grpc, "service": "liveness"}, name
        assert container["readinessProbe"]["grpc"] == {"port": grpc}
        assert pod["terminationGracePeriodSeconds"] >= STOP_LIMIT_S + _LONGEST_END_S
        assert pod["securityContext"]["runAsNonRoot"] is True
        confined = container["securityContext"]
        assert confined["readOnlyRootFilesystem"] is True
        assert confined["allowPrivilegeEscalation"] is False
        assert confined["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_each_service_understands_its_settings(rendered: list[dict[str, Any]], tmp_path: Path) -> None:
    mounted: set[str] = set()
    for name, pod, container in pods(rendered):
        variables = {each["name"]: each["value"] for each in container["env"]}
        for variable, value in variables.items():
            if variable.endswith("_FILE"):
                file = tmp_path / Path(value).name
                file.write_text(f"mongodb://a:b@mongo/?x={value}" if "uri" in value else f"strong {value}")
                variables[variable] = str(file)
        module = importlib.import_module(f"workerpool_{name.replace('-', '_')}.settings")
        (settings_type,) = [
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, Settings) and each.__module__ == module.__name__
        ]
        environment.load(settings_type, variables)
        assert environment.ignored(settings_type, variables) == {}
        for volume in pod["volumes"]:
            mounted |= {item["key"] for item in volume.get("secret", {}).get("items", [])}
    assert mounted == SECRETS


def test_extra_variables_of_a_service_override_its_own() -> None:
    own = {"IEXEC_CORE_REQUIRED_WORKER_VERSION": "0.1.0", "WORKERPOOL_LOG_LEVEL": "DEBUG"}
    chosen = {f"extraEnv.core.{name}": value for name, value in own.items()}
    text = helm("template", "pool", str(CHART), *given(VALUES | chosen))
    (core,) = [
        each for name, _, each in pods([doc for doc in yaml.safe_load_all(text) if doc]) if name == "core"
    ]
    variables = {each["name"]: each["value"] for each in core["env"]}
    assert variables | own == variables


def test_the_services_behind_the_ingress_believe_it_as_those_behind_the_proxy_of_compose_do() -> None:
    overlay = yaml.safe_load(
        (ROOT / "deploy/compose.http.yaml").read_text().replace("!reset", "").replace("!override", "")
    )
    expected = {
        name: each["environment"]["FORWARDED_ALLOW_IPS"]
        for name, each in overlay["services"].items()
        if "FORWARDED_ALLOW_IPS" in each.get("environment", {})
    }
    assert expected == believed(VALUES)
    ingress = "10.42.0.0/16"
    assert believed(VALUES | {"trustedProxies": ingress}) == dict.fromkeys(expected, ingress)


def believed(values: dict[str, str]) -> dict[str, str]:
    """Return the proxies that each service believes."""
    text = helm("template", "pool", str(CHART), *given(values))
    return {
        name: variable["value"]
        for name, _, container in pods([document for document in yaml.safe_load_all(text) if document])
        for variable in container["env"]
        if variable["name"] == "FORWARDED_ALLOW_IPS"
    }
