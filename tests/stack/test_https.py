"""The pool behind its reverse proxy with certificates of an ACME server: a worker computes over port 443 only.

Pebble stands for Let's Encrypt. It proves each name as that does: by a request to the name's port 80 or 443.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from certificates import Authority
from relays import Relay
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.processes.ports import free_port, is_free

from stack.pool_of_compose import (
    DEPENDENCIES,
    READY_LIMIT_S,
    Stack,
    bridge_address,
    compute,
    prepare,
    take_down,
)
from stack.running import OURS, Project, Trust, get, up, wait_until
from stack.stand_ins import PEBBLE_IMAGE, proxy_stand_ins

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

PUBLIC = (80, 443)
INSIDE = (7001, 17001, 13200, 23200, 8888, 18888, 13300, 23300)
"""Ports that compose.yaml publishes without a reverse proxy."""
NAMES = {
    "PROD_CORE_HOST": "pool.workerpool-stack.net",
    "PROD_RESULT_HOST": "result.workerpool-stack.net",
    "PROD_PLATFORM_REGISTRY_HOST": "config.workerpool-stack.net",
    "PROD_SMS_HOST": "sms.workerpool-stack.net",
    "PROD_GRAFANA_HOST": "grafana.workerpool-stack.net",
    "PROD_CHAIN_ADAPTER_HOST": "adapter.workerpool-stack.net",
}
"""Names that only this test's containers and this process resolve."""
PEBBLE = {
    "pebble": {
        "listenAddress": "0.0.0.0:14000",
        "managementListenAddress": "0.0.0.0:15000",
        "certificate": "/pebble/pebble.pem",
        "privateKey": "/pebble/pebble.key",
        "httpPort": 80,
        "tlsPort": 443,
    }
}


def overlay(folder: Path, image: str, management: int) -> str:
    """Write the overlay that adds Pebble, and lets it and core know the names and the authority; return its name."""
    content = {
        "services": {
            "pebble": {
                "image": image,
                "command": ["-config", "/pebble/config.json"],
                "environment": {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
                "networks": ["frontend"],
                "ports": [f"127.0.0.1:{management}:15000"],
                "volumes": ["./pebble:/pebble:ro"],
            },
            "reverse-proxy": {"networks": {"frontend": {"aliases": [*NAMES.values()]}}},
            "core": {
                "environment": {"WORKERPOOL_TLS_CA": "/etc/workerpool/root.pem"},
                "volumes": ["./root.pem:/etc/workerpool/root.pem:ro"],
            },
        }
    }
    (folder / "compose.pebble.json").write_text(json.dumps(content))
    return "compose.pebble.json"


def write_root(pool: Project, management: int, authority: Path) -> None:
    """Write the root of the certificates that Pebble issues, which it makes at its start."""
    url, trust = f"https://127.0.0.1:{management}/roots/0", Trust(authority)
    wait_until(lambda: get(url, trust=trust)[0] == 200, READY_LIMIT_S, lambda: pool.compose("logs", "pebble"))
    (pool.folder / "root.pem").write_bytes(get(url, trust=trust)[1])


@pytest.fixture(scope="module")
def proxy_images(images: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Make the reverse proxy and the ACME server on the base image."""
    with proxy_stand_ins() as made:
        yield {**images, **made}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(proxy_images: Mapping[str, str], net: Devnet) -> AsyncIterator[Stack]:
    """Start the ACME server, the pool behind its reverse proxy, and one worker."""
    taken = [port for port in (*PUBLIC, *INSIDE) if not is_free(port)]
    if taken:
        pytest.fail(f"the ports {taken} are in use on this machine")
    folder = Path(tempfile.mkdtemp(prefix="stack-", dir="/tmp"))
    host = bridge_address()
    port = free_port()
    node = Relay((host, port), ("127.0.0.1", net.chain.port))
    (folder / "pebble").mkdir()
    authority = Authority(folder / "pebble")
    authority.issue("pebble", "pebble", "127.0.0.1")
    (folder / "pebble/config.json").write_text(json.dumps(PEBBLE))
    for file in (folder / "pebble").iterdir():
        file.chmod(0o644)
    url = f"https://{NAMES['PROD_CORE_HOST']}"
    values = {
        **proxy_images,
        **NAMES,
        "MARKET_API_URL": f"http://{host}:{net.services['market'].spec.ports.http}",
        "IEXEC_CORE_URL": url,
        "LETSENCRYPT_ADMIN_EMAIL": "operator@workerpool-stack.net",
        "ACME_SERVER": "https://pebble:14000/dir",
        "ACME_CA_ROOT": "./pebble/ca.pem",
        "WORKER_ALLOW_CLEARTEXT": "false",
        "WORKER_TLS_CA": str(folder / "pool/root.pem"),
    }
    scope = ("--https",)
    pool, worker = prepare(folder, net, f"http://{host}:{port}", NAMES["PROD_CORE_HOST"], values, scope)
    shutil.copytree(folder / "pebble", pool.folder / "pebble")
    management = free_port()
    pool.files = ("compose.yaml", "deploy/compose.https.yaml", overlay(pool.folder, PEBBLE_IMAGE, management))
    (pool.folder / "root.pem").touch()
    resolved = {"services": {"worker": {"extra_hosts": [f"{name}=127.0.0.1" for name in NAMES.values()]}}}
    (worker.folder / "compose.names.json").write_text(json.dumps(resolved))
    worker.files = ("compose.yaml", "compose.names.json")
    try:
        async with node.running():
            await asyncio.to_thread(pool.compose, "up", "--detach", "--no-build", "pebble")
            await asyncio.to_thread(write_root, pool, management, authority.file)
            await asyncio.to_thread(up, pool)
            ready_s = await asyncio.to_thread(
                pool.wait_healthy, [*OURS, *DEPENDENCIES, "reverse-proxy"], READY_LIMIT_S
            )
            await asyncio.to_thread(up, worker)
            results = f"https://{NAMES['PROD_RESULT_HOST']}"
            trust = Trust(pool.folder / "root.pem", "127.0.0.1")
            yield Stack(net, pool, worker, url, results, ready_s, trust)
    finally:
        await take_down(worker, pool)
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_worker_computes_over_port_443(stack: Stack) -> None:
    assert [port for port in INSIDE if not is_free(port)] == [], "only the reverse proxy is published"
    await compute(stack, 2)


async def test_the_chain_adapter_shows_the_configuration_of_the_chain_only(stack: Stack) -> None:
    adapter = f"https://{NAMES['PROD_CHAIN_ADAPTER_HOST']}"
    status, body = await asyncio.to_thread(stack.get, f"{adapter}/config/chain")
    assert (status, b"iexecHubContractAddress" in body) == (200, True)
    assert (await asyncio.to_thread(stack.get, f"{adapter}/metrics"))[0] == 404
    assert (await asyncio.to_thread(stack.get, f"https://{NAMES['PROD_SMS_HOST']}/admin/backup"))[0] == 404


async def test_links_for_requesters_have_the_public_name(stack: Stack) -> None:
    _, body = await asyncio.to_thread(
        stack.get, f"{stack.core}/{stack.net.chain.chain_id}/workerpools/{stack.net.workerpool}"
    )
    assert stack.core in body.decode()
