"""Checks of the lines of the two older guides that a running stack answers, by guide and line.

The lines of the iExec SDK run in tests/sdk, and the variables are checked without a stack (tools/tests/moving).
"""

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from stack.compose_files import OVERLAYS, POOL, load
from stack.pool_of_compose import POOL_PROJECT, Stack, wait_for_worker
from stack.running import OURS, Project, StackError, remains

Check = Callable[[Stack], None]
NAMES = {
    "PROD_RESULT_HOST": "result.pool.example",
    "PROD_PLATFORM_REGISTRY_HOST": "config.pool.example",
    "PROD_SMS_HOST": "sms.pool.example",
    "PROD_GRAFANA_HOST": "grafana.pool.example",
    "PROD_CHAIN_ADAPTER_HOST": "adapter.pool.example",
    "LETSENCRYPT_ADMIN_EMAIL": "operator@pool.example",
}
"""What an overlay with a reverse proxy needs."""


def _config(stack: Stack, *overlays: str) -> dict[str, Any]:
    """Return what Docker Compose makes of the pool's files with overlays."""
    files = ("compose.yaml", *(f"deploy/compose.{overlay}.yaml" for overlay in overlays))
    project = Project(stack.pool.folder, files, NAMES if overlays else {})
    shown = json.loads(project.compose("config", "--format", "json"))
    assert isinstance(shown, dict)
    return shown


def _published(stack: Stack, service: str, *overlays: str) -> list[str]:
    """Return the ports of a service that other hosts reach, as `host:container`."""
    ports = _config(stack, *overlays)["services"][service].get("ports", [])
    return [f"{each['published']}:{each['target']}" for each in ports if "host_ip" not in each]


def _core_is_up(stack: Stack) -> None:
    there = stack.pool.containers()
    assert {name for name in OURS if there[name]["Health"] == "healthy"} == set(OURS)


def _worker_is_up(stack: Stack) -> None:
    assert stack.worker.containers()["worker"]["State"] == "running"


def _config_chain(stack: Stack) -> None:
    status, body = stack.get(f"{stack.core.rpartition(':')[0]}:13010/config/chain")
    assert (status, json.loads(body)["iexecHubContractAddress"]) == (200, stack.net.contracts.hub)


def _metrics(stack: Stack) -> None:
    status, body = stack.get(f"{stack.core}/metrics")
    assert (status, "aliveWorkers" in json.loads(body)) == (200, True)


def _grafana(stack: Stack) -> None:
    assert _published(stack, "grafana") == ["7000:3000"]


def _wallet(stack: Stack) -> None:
    secret = (stack.pool.folder / "secrets/core-wallet.json").read_text()
    assert (stack.pool.folder / "wallet.json").read_text() == secret
    mounted = _config(stack)["services"]["core"]["secrets"]
    assert "core-wallet" in {each["source"] for each in mounted}


def _worker_wallet(stack: Stack) -> None:
    assert (stack.worker.folder / "wallet-0.json").exists()
    _worker_is_up(stack)


def _publisher_logs(stack: Stack) -> None:
    assert "order" in stack.pool.compose("logs", "order-publisher-std")


def _overlays(stack: Stack) -> None:
    for path in OVERLAYS:
        name = path.name.removeprefix("compose.").removesuffix(".yaml")
        assert _config(stack, name)["services"].keys() >= {*OURS}


def _combinations(stack: Stack) -> None:
    assert "reverse-proxy" in _config(stack, "https", "tee")["services"]
    with pytest.raises(StackError, match="reverse-proxy"):
        _config(stack, "http", "https")


def _ports_of_the_proxy(stack: Stack) -> None:
    for overlay in ("http", "https"):
        assert [_published(stack, name, overlay) for name in ("core", "grafana")] == [[], []]
        assert _published(stack, "chain-adapter", overlay) == []


def _restart(service: str) -> Check:
    def check(stack: Stack) -> None:
        policy = stack.pool.inspect(service)["HostConfig"]["RestartPolicy"]
        assert policy["Name"] == "unless-stopped"

    return check


def _mongo_express(stack: Stack) -> None:
    environment = _config(stack)["services"]["mongo-express"]["environment"]
    assert environment["ME_CONFIG_BASICAUTH_USERNAME"] == "admin"
    assert environment["ME_CONFIG_BASICAUTH_PASSWORD_FILE"] == "/run/secrets/mongo-express-password"
    chosen = load(
        {"PROD_POOL_ADDRESS": "0x", "PROD_CORE_HOST": "h", "ME_CONFIG_BASICAUTH_USERNAME": "ui"}, POOL
    )
    assert chosen["services"]["mongo-express"]["environment"]["ME_CONFIG_BASICAUTH_USERNAME"] == "ui"


def _ipfs(stack: Stack) -> None:
    assert "4001:4001" in _published(stack, "ipfs")
    assert stack.pool.containers()["ipfs"]["Health"] == "healthy"


def _ipfs_volumes(stack: Stack) -> None:
    there = {each["Destination"]: each["Name"] for each in stack.pool.inspect("ipfs")["Mounts"]}
    assert there["/export"] == f"{POOL_PROJECT}_ipfs-staging"
    assert there["/data/ipfs"] == f"{POOL_PROJECT}_ipfs-data"
    assert f"{POOL_PROJECT}_ipfs-data" in remains(POOL_PROJECT)


def _files(stack: Stack) -> None:
    assert {"compose.yaml", ".env"} <= {path.name for path in stack.pool.folder.iterdir()}


def _worker_files(stack: Stack) -> None:
    assert {"compose.yaml", ".env"} <= {path.name for path in stack.worker.folder.iterdir()}
    assert shutil.which("docker") is not None


CHECKS: dict[tuple[str, int], Check] = {
    ("001", 229): _files,
    ("001", 231): _wallet,
    ("001", 235): _core_is_up,
    ("001", 241): _config_chain,
    ("001", 245): _metrics,
    ("001", 249): _grafana,
    ("001", 264): _worker_files,
    ("001", 266): _worker_wallet,
    ("001", 270): _worker_is_up,
    ("001", 279): wait_for_worker,
    ("001", 281): _grafana,
    ("001", 287): _publisher_logs,
    ("001", 312): _overlays,
    ("001", 316): _combinations,
    ("001", 322): _ports_of_the_proxy,
    ("001", 325): _ports_of_the_proxy,
    ("002", 32): _restart("mongo"),
    ("002", 35): _mongo_express,
    ("002", 38): _mongo_express,
    ("002", 39): _mongo_express,
    ("002", 58): _ipfs,
    ("002", 60): _ipfs_volumes,
    ("002", 61): _ipfs_volumes,
    ("002", 94): _wallet,
    ("002", 102): _restart("core"),
    ("002", 112): _core_is_up,
}
"""The check of each line: on a pool that was started as the guide says, with one worker."""

ELSEWHERE = {
    ("001", 331): "tests/stack/test_https.py",
    ("002", 115): "tests/stack/test_operations.py",
    ("002", 122): "tests/stack/test_operations.py",
    ("002", 125): "tests/stack/test_operations.py",
}
"""Lines that a test of their own runs."""
