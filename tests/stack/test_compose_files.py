"""The compose files without Docker: every variable is explained, every container bounded, every setting understood."""

import functools
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from pool_env.check import PASSWORDS
from pool_env.secret_files import POOL as POOL_SECRETS
from pool_env.secret_files import WALLET
from workerpool_kit.settings import environment
from workerpool_kit.settings.base import Settings

from stack.compose_files import (
    FILES,
    OVERLAYS,
    POOL,
    ROOT,
    WORKER,
    WORKER_OVERLAYS,
    MissingVariable,
    defaults,
    example,
    interpolate,
    load,
    raw,
    variables,
)

FILLED = example() | {
    "PROD_POOL_ADDRESS": "0x" + "a1" * 20,
    "PROD_CORE_HOST": "pool.operator.net",
    "PROD_RESULT_HOST": "result.operator.net",
    "PROD_PLATFORM_REGISTRY_HOST": "config.operator.net",
    "PROD_SMS_HOST": "sms.operator.net",
    "PROD_GRAFANA_HOST": "grafana.operator.net",
    "PROD_CHAIN_ADAPTER_HOST": "adapter.operator.net",
    "LETSENCRYPT_ADMIN_EMAIL": "admin@operator.net",
}
OURS = {
    "core": "core",
    "chain-adapter": "chain_adapter",
    "result-proxy": "result_proxy",
    "registry": "registry",
    "sms": "sms",
    "order-publisher-std": "order_publisher",
    "worker": "worker",
}
ONE_SHOT = {"mongo-init"}
NOT_COMPOSE = {
    "CHAIN",
    "PROD_CORE_WALLET",
    "IEXEC_CORE_CHAIN_ADAPTER_URL",
    "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE",
    "IEXEC_CORE_OPERATOR_PASSWORD_FILE",
    "ORDER_PUBLISHER_URL",
    *PASSWORDS,
}
"""Variables for the operator, for the secret files and for poolctl."""
COMBINATIONS = [
    (POOL,),
    (WORKER,),
    *((POOL, overlay) for overlay in OVERLAYS),
    *((WORKER, overlay) for overlay in WORKER_OVERLAYS),
]
SEED = {"grafana": "7000:3000", "core": "7001:13000", "chain-adapter": "13010:13010"}
MEMORY_MIB = 3584
"""What a server with 4 GB leaves for containers."""


def name_of(paths: Any) -> str:
    return "+".join(str(path.relative_to(ROOT)) for path in paths)


@functools.cache
def containers(*paths: Path) -> dict[str, dict[str, Any]]:
    """Return the services of compose files, for reading only."""
    services: dict[str, dict[str, Any]] = load(FILLED, *paths)["services"]
    return services


ALL = [
    pytest.param(paths, name, id=f"{name_of(paths)} {name}")
    for paths in COMBINATIONS
    for name in containers(*paths)
]


def test_each_variable_is_explained_in_the_example_and_each_of_the_example_is_used() -> None:
    used = {name for path in FILES for name in variables(path)}
    assert used - set(example()) == set()
    assert set(example()) - used == NOT_COMPOSE


def test_each_variable_of_the_example_has_a_comment_above_it() -> None:
    commented = ""
    for line in (ROOT / ".env.example").read_text().splitlines():
        if re.match(r"\w+=", line):
            assert commented, f"{line} has no comment"
        else:
            commented = (
                line if line.startswith("# ") and not line.startswith("# ===") else commented if line else ""
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_default_is_the_value_that_the_example_shows(path: Path) -> None:
    shown = example()
    for name, default in defaults(path):
        if default and "${" not in default and shown[name]:
            assert default == shown[name], name


@pytest.mark.parametrize(
    ("paths", "missing"),
    [((POOL,), "PROD_CORE_HOST"), ((POOL,), "PROD_POOL_ADDRESS"), ((WORKER,), "PROD_CORE_HOST")],
)
def test_a_variable_without_a_default_is_required(paths: tuple[Path, ...], missing: str) -> None:
    with pytest.raises(MissingVariable, match=missing):
        load({name: value for name, value in FILLED.items() if name != missing}, *paths)


@pytest.mark.parametrize(("paths", "name"), ALL)
def test_a_container_is_bounded_checked_and_restarted(paths: tuple[Path, ...], name: str) -> None:
    container = containers(*paths)[name]
    limits = container["deploy"]["resources"]["limits"]
    assert 0 < float(limits["cpus"]) <= 2
    assert mebibytes(limits["memory"]) > 0
    assert limits["pids"] > 0
    options = container["logging"]["options"]
    assert (container["logging"]["driver"], set(options)) == ("json-file", {"max-size", "max-file"})
    assert container["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not container.get("privileged")
    if name not in ONE_SHOT:
        check = container["healthcheck"]
        assert check["test"][0] == "CMD", "not through a shell"
        assert {"interval", "timeout", "retries"} <= set(check)


def mebibytes(text: str) -> int:
    found = re.fullmatch(r"(\d+)M", text)
    assert found is not None, text
    return int(found[1])


@pytest.mark.parametrize("paths", [paths for paths in COMBINATIONS if POOL in paths], ids=name_of)
def test_the_pool_fits_a_server_of_4_gb(paths: tuple[Path, ...]) -> None:
    limits = {
        name: mebibytes(container["deploy"]["resources"]["limits"]["memory"])
        for name, container in containers(*paths).items()
        if name not in ONE_SHOT
    }
    assert sum(limits.values()) <= MEMORY_MIB, limits


def test_the_components_and_host_ports_of_the_older_stack_are_there() -> None:
    pool = containers(POOL)
    assert set(pool) == {
        *(name for name in OURS if name != "worker"),
        *("mongo", "mongo-init", "mongo-express", "ipfs", "prometheus", "grafana"),
    }
    for name, port in SEED.items():
        assert port in pool[name]["ports"]


def test_administrative_interfaces_are_published_on_loopback_only() -> None:
    pool = containers(POOL)
    assert pool["mongo"].get("ports", []) == []
    assert [port for port in pool["ipfs"]["ports"] if ":5001" in port] == []
    for name in ("mongo-express", "prometheus", "order-publisher-std"):
        assert all(port.startswith("127.0.0.1:") for port in pool[name]["ports"])
    assert [port for port in pool["chain-adapter"]["ports"] if port.endswith("23010")] == [
        "127.0.0.1:23010:23010"
    ]


def test_the_public_names_of_core_are_distinct_also_without_names_of_their_own() -> None:
    few = FILLED | {"PROD_RESULT_HOST": "", "PROD_PLATFORM_REGISTRY_HOST": ""}
    names = load(few, POOL)["services"]["core"]["extra_hosts"]
    assert len(names) == len(set(names))


def test_the_database_has_no_internet_access() -> None:
    pool = load(FILLED, POOL)
    assert pool["networks"]["backend"] == {"internal": True}
    assert pool["services"]["mongo"]["networks"] == ["backend"]


@pytest.mark.parametrize(
    ("service", "paths"),
    [(service, paths) for paths in COMBINATIONS for service in containers(*paths) if service in OURS],
    ids=str,
)
def test_a_service_understands_every_variable_that_it_gets(
    service: str, paths: tuple[Path, ...], tmp_path: Path
) -> None:
    """The service's own settings are read from what compose would give it."""
    container = containers(*paths)[service]
    given = {}
    for name, value in container["environment"].items():
        text = str(value)
        if name.endswith("_FILE"):
            assert text.startswith(("/run/secrets/", "/etc/workerpool/")), f"{name} names no secret"
            file = tmp_path / Path(text).name
            # The password of an http URL is checked too.
            file.write_text(
                f"mongodb://a:b@mongo:27017/?replicaSet=x {text}" if "uri" in text else f"strong {text}"
            )
            text = str(file)
        given[name] = text
    if service == "worker":
        given["WORKERPOOL_ALLOW_CLEARTEXT"] = "true"
    module = importlib.import_module(f"workerpool_{OURS[service]}.settings")
    settings_type = next(
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Settings) and each.__module__ == module.__name__
    )
    environment.load(settings_type, given)
    without_effect = environment.ignored(settings_type, given)
    tee = {"IEXEC_WORKER_SCONTAIN_REGISTRY_USERNAME", "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD"}
    assert set(without_effect) - tee - {"IEXEC_WORKER_SGX_DRIVER_MODE"} == set()
    declared = {name for name, *_ in _rows(settings_type)}
    unknown = {name.removesuffix("_FILE") for name in given} - declared
    assert unknown == set()


def _rows(settings_type: type[Settings]) -> Any:
    from workerpool_kit.settings.reference import settings_rows

    return settings_rows(settings_type)


@pytest.mark.parametrize("paths", [paths for paths in COMBINATIONS if len(paths) > 1], ids=name_of)
def test_an_overlay_changes_services_that_exist_or_adds_the_reverse_proxy(paths: tuple[Path, ...]) -> None:
    base, overlay = (set(raw(path)["services"]) for path in paths)
    assert overlay - base <= {"reverse-proxy"}


@pytest.mark.parametrize("overlay", ["compose.http.yaml", "compose.https.yaml"])
def test_behind_a_reverse_proxy_only_it_is_public(overlay: str) -> None:
    for name, container in containers(POOL, ROOT / "deploy" / overlay).items():
        public = [port for port in container.get("ports", []) if not port.startswith("127.0.0.1:")]
        expected = {
            "reverse-proxy": ["80:80", "443:443"][: 1 + overlay.count("https")],
            "ipfs": ["4001:4001", "4001:4001/udp"],
        }
        assert public == expected.get(name, []), name


def test_the_two_reverse_proxies_serve_the_same_names() -> None:
    for name in ("http", "https"):
        text = (ROOT / f"deploy/proxy/Caddyfile.{name}").read_text()
        assert "import services" in text
    served = (ROOT / "deploy/proxy/services").read_text()
    for host in ("CORE", "RESULT", "PLATFORM_REGISTRY", "SMS", "GRAFANA", "CHAIN_ADAPTER"):
        assert f"{{$SCHEME}}://{{$PROD_{host}_HOST}} {{" in served
    for service, container in containers(POOL).items():
        if service in OURS and service != "order-publisher-std":
            assert f"{service}:" in served, container["image"]


def test_each_secret_has_a_file_that_the_command_writes_and_a_container_that_reads_it() -> None:
    pool = load(FILLED, POOL)
    files = {Path(secret["file"]).name for secret in pool["secrets"].values()}
    assert files == {each.file for each in POOL_SECRETS} | {WALLET}
    read = {name for container in pool["services"].values() for name in container.get("secrets", [])}
    assert read == set(pool["secrets"])
    for container in pool["services"].values():
        text = (
            str(container.get("environment", ""))
            + str(container.get("command", ""))
            + str(container.get("entrypoint"))
        )
        named = set(re.findall(r"/run/secrets/([\w-]+)", text))
        assert named == set(container.get("secrets", [])), container["image"]


def test_no_password_is_in_an_environment() -> None:
    for paths in COMBINATIONS:
        for name, container in containers(*paths).items():
            for variable in container.get("environment", {}):
                if re.search(r"PASSWORD|SECRET|URI|KEY$", variable) and not variable.endswith("_FILE"):
                    assert (name, variable) in {
                        ("worker", "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_1"),
                        ("worker", "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD"),
                    }


@pytest.mark.parametrize(("paths", "name"), ALL)
def test_what_is_mounted_from_the_repository_is_there(paths: tuple[Path, ...], name: str) -> None:
    for volume in containers(*paths)[name].get("volumes", []):
        source = volume.partition(":")[0]
        if source.startswith("./deploy/"):
            assert (ROOT / source).exists(), source


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("${A}", {"A": "1"}, "1"),
        ("x${A:-y}z", {}, "xyz"),
        ("${A:-http://${B:-${C}}:1}", {"C": "h"}, "http://h:1"),
        ("${A:+on}", {"A": "1"}, "on"),
        ("${A:+on}", {"A": ""}, ""),
        ("$$A", {}, "$A"),
    ],
)
def test_variables_are_replaced_as_compose_does(text: str, values: dict[str, str], result: str) -> None:
    assert interpolate(text, values) == result
