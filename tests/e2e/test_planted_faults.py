"""Each planted fault is named by `/actuator/health` within seconds, logged once, and forgotten once it is repaired.

One pool, one fault after the other. Each is planted while the services run. A service that starts during the fault
names it too. Every service is UP again by itself once the fault is repaired.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import http_calls
import pytest
import pytest_asyncio
from relays import Relay
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_port, free_service_ports
from workerpool_kit.targets import GRPC_PORT_OFFSET

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

NAMED_WITHIN_S = 10.0
LOADED = 2.0
"""Factor on the limit for a loaded machine."""
MENDED_WITHIN_S = 40.0
SERVICES = ("registry", "chain_adapter", "result_proxy", "core", "worker-1")
NODE = "IEXEC_BLOCKCHAIN_NODE_ADDRESS"


@dataclass
class Pool:
    """A pool whose services reach the node and the result proxy through relays."""

    net: Devnet
    node: Relay
    proxy: Relay
    other_chain: Chain
    adapter_password: str = field(default="")

    async def plant(self, fault: str) -> None:
        net = self.net
        if fault == "dead node":
            await self.node.cut()
        elif fault == "wrong node":
            await self.node.point_to(("127.0.0.1", self.other_chain.port))
        elif fault == "dead proxy":
            await self.proxy.cut()
        elif fault == "wrong proxy address":
            await self.proxy.point_to(("127.0.0.1", net.services["registry"].spec.ports.grpc))
        elif fault == "dead adapter":
            net.services["chain_adapter"].stop_for_good()
        elif fault == "wrong adapter password":
            self.adapter_password = self._password_file.read_text()
            await self._restart_adapter("of another pool")
        elif fault == "dead database":
            net.database.kill()
        elif fault == "dead config server":
            net.services["registry"].stop_for_good()

    async def repair(self, fault: str) -> None:
        net = self.net
        if fault.endswith("node"):
            await self.node.point_to(("127.0.0.1", net.chain.port))
        elif "proxy" in fault:
            await self.proxy.point_to(("127.0.0.1", net.services["result_proxy"].spec.ports.grpc))
        elif fault == "dead adapter":
            net.services["chain_adapter"].start()
        elif fault == "wrong adapter password":
            await self._restart_adapter(self.adapter_password)
        elif fault == "dead database":
            net.database.revive()
            await asyncio.to_thread(net.database.wait_ready)
        elif fault == "dead config server":
            net.services["registry"].start()

    @property
    def _password_file(self) -> Path:
        environment = self.net.services["chain_adapter"].spec.environment
        return Path(environment["IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD_FILE"])

    async def _restart_adapter(self, password: str) -> None:
        """Restart the adapter with a password that core, which has read its own, does not send."""
        adapter, changed = self.net.services["chain_adapter"], self.net.folder / "secrets" / "changed"
        changed.touch(mode=0o600)
        changed.write_text(password)
        assert adapter.process.env is not None
        adapter.process.env["IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD_FILE"] = str(changed)
        adapter.stop_for_good()
        adapter.start()

    async def component(self, service: str, component: str) -> dict[str, Any]:
        """Return a component in the health of a service, with its status; empty while the service is away."""
        try:
            answer = await http_calls.get(f"{self.net.services[service].http}/actuator/health")
        except (aiohttp.ClientError, OSError):
            return {}
        found = answer.json()["components"].get(component, {})
        return {"status": found.get("status"), **found.get("details", {})}

    async def named(self, service: str, component: str, variable: str) -> float:
        """Wait until a service names a component as out of service with its variable; return the seconds."""
        started = time.monotonic()

        state: dict[str, Any] = {}

        async def is_named() -> bool:
            nonlocal state
            state = await self.component(service, component)
            return (
                state.get("status") == "OUT_OF_SERVICE"
                and variable in state.get("variable", "")
                and state.get("problem") not in (None, "not reached yet")
                and bool(state.get("next_step"))
            )

        try:
            await until(is_named, NAMED_WITHIN_S * LOADED)
        except TimeoutError:
            raise AssertionError(f"{service} does not name {component} with {variable}: {state}") from None
        return time.monotonic() - started

    async def all_up(self) -> None:
        for service in SERVICES:
            await self.net.services[service].wait_healthy(timeout=MENDED_WITHIN_S)

    def losses(self, service: str, component: str) -> list[dict[str, Any]]:
        """Return the log events of a service that name a lost component."""
        text = (self.net.logs / f"{service}.log").read_text()
        events = [json.loads(line) for line in text.splitlines() if '"dependency.lost"' in line]
        return [event for event in events if event["component"] == component]


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pool]:
    node_port, proxy_ports = free_port(), free_service_ports()
    node_url, proxy_url = f"http://127.0.0.1:{node_port}", f"http://127.0.0.1:{proxy_ports.http}"
    environment = {name: {NODE: node_url} for name in ("chain_adapter", "result_proxy", "core")}
    environment["core"] |= {"IEXEC_RESULT_REPOSITORY_URL": proxy_url}
    # Workers know the proxy by the address of the relay.
    environment["result_proxy"] |= {"IEXEC_RESULT_PROXY_PUBLIC_URL": proxy_url}
    environment["worker"] = {f"IEXEC_WORKER_OVERRIDE_{NODE.removeprefix('IEXEC_')}": node_url}
    net = Devnet(DevnetOptions(workers=1, services=SERVICES, environment=environment))
    node = Relay(("127.0.0.1", node_port), ("127.0.0.1", net.chain.port))
    await node.start()
    other = Chain(log=tmp_path_factory.mktemp("other") / "chain.log", chain_id=4242)
    await asyncio.to_thread(other.start)
    assert proxy_ports.grpc == proxy_ports.http + GRPC_PORT_OFFSET
    proxy = Relay(("127.0.0.1", proxy_ports.grpc), ("127.0.0.1", 9))
    starting = asyncio.create_task(net.__aenter__())
    try:
        # The port of the proxy is chosen while the devnet starts.
        while "result_proxy" not in net.services:
            assert not starting.done(), starting
            await asyncio.sleep(0.05)
        await proxy.point_to(("127.0.0.1", net.services["result_proxy"].spec.ports.grpc))
        await starting
        yield Pool(net, node, proxy, other)
    finally:
        starting.cancel()
        await net.stop()
        await node.cut()
        await proxy.cut()
        await asyncio.to_thread(other.stop)


FAULTS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("dead node", "chain", "BLOCKCHAIN_NODE_ADDRESS", ("core", "chain_adapter", "result_proxy", "worker-1")),
    ("wrong node", "chain", "BLOCKCHAIN_NODE_ADDRESS", ("core", "chain_adapter", "result_proxy", "worker-1")),
    ("wrong adapter password", "adapter", "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD", ("core",)),
    ("dead adapter", "adapter", "IEXEC_CORE_CHAIN_ADAPTER_URL", ("core",)),
    ("wrong proxy address", "proxy", "IEXEC_RESULT_REPOSITORY_URL", ("core", "worker-1")),
    ("dead proxy", "proxy", "IEXEC_RESULT_REPOSITORY_URL", ("core", "worker-1")),
    ("dead config server", "registry", "IEXEC_CONFIG_SERVER_URL", ("core",)),
    ("dead database", "database", "MONGO_URI", ("core", "chain_adapter", "result_proxy")),
]


@pytest.mark.parametrize(
    ("fault", "component", "variable", "services"), FAULTS, ids=[each[0] for each in FAULTS]
)
async def test_a_planted_fault_is_named_and_logged_once_and_recovers(
    pool: Pool, fault: str, component: str, variable: str, services: tuple[str, ...]
) -> None:
    await pool.all_up()
    pids = {service: pool.net.services[service].pid for service in SERVICES}
    logged = {service: len(pool.losses(service, component)) for service in services}
    await pool.plant(fault)
    try:
        for service in services:
            await pool.named(service, component, variable)

        def lines(service: str) -> list[dict[str, Any]]:
            # A restart of what is planted may be noticed before the fault itself.
            lost = pool.losses(service, component)[logged[service] :]
            return [event for event in lost if variable in event["variable"]]

        async def each_logged() -> bool:
            return all(map(lines, services))

        await until(each_logged, NAMED_WITHIN_S * LOADED)
        for service in services:
            assert len(lines(service)) == 1

        # At boot: core starts during the fault, lives, and names it.
        core = pool.net.services["core"]
        core.stop_for_good()
        core.start()
        await pool.named("core", component, variable)
        assert core.process.running
        pids["core"] = core.pid
    finally:
        await pool.repair(fault)
    await pool.all_up()
    restarted = {"wrong adapter password": "chain_adapter", "dead adapter": "chain_adapter"}
    restarted["dead config server"] = "registry"
    pids.pop(restarted.get(fault, ""), None)
    assert pids == {service: pool.net.services[service].pid for service in pids}
