"""The real `poolctl doctor` finds and names each fault that is planted in a running pool."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from certificates import Authority
from patience import PATIENCE_S
from relays import Relay
from small_volumes import MountVolume
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.contracts.interface import Function

from e2e.operator_command import WITH_OPERATOR, Poolctl, write_env

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

ONE_RLC = 10**9
TRANSFER = Function("transferFrom", ("address", "address", "uint256"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay() -> AsyncIterator[Relay]:
    """Stand between the services and their node."""
    chain, entrance = free_service_ports().http, free_service_ports().http
    async with Relay(("127.0.0.1", entrance), ("127.0.0.1", chain)).running() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(relay: Relay) -> AsyncIterator[Devnet]:
    """Run a pool that sells tasks at a price, behind a relay to its node."""
    publisher = WITH_OPERATOR["order_publisher"] | {"WORKERPOOL_PRICE": str(ONE_RLC)}
    options = DevnetOptions(
        workers=1,
        sdk=True,
        chain_port=int(relay.target[1]),  # type: ignore[index]
        node_url=f"http://127.0.0.1:{relay.address[1]}",  # type: ignore[index]
        environment=WITH_OPERATOR | {"order_publisher": publisher},
    )
    async with Devnet(options) as running:
        yield running


@pytest.fixture
def poolctl(net: Devnet, tmp_path: Path) -> Poolctl:
    return pool_in(tmp_path, net)


def pool_in(folder: Path, net: Devnet, **more: str) -> Poolctl:
    """Write the `.env` of the pool with further variables; the node is asked directly."""
    write_env(folder, net)
    lines = {"IEXEC_BLOCKCHAIN_NODE_ADDRESS": net.chain.url} | more
    with (folder / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in lines.items())
    return Poolctl(folder)


async def problems(poolctl: Poolctl) -> dict[str, dict[str, Any]]:
    """Return the problems that doctor finds, by code; its exit code tells whether there are any."""
    done = await poolctl("doctor", "-o", "json")
    found = {each["code"]: each for each in done.document if each["severity"] == "problem"}
    assert done.code == int(bool(found))
    return found


async def found(poolctl: Poolctl, code: str) -> dict[str, Any]:
    """Wait until doctor finds a problem of this code: the services notice some faults after a while."""
    async with asyncio.timeout(PATIENCE_S):
        while code not in (seen := await problems(poolctl)):
            await asyncio.sleep(0.5)
    finding = seen[code]
    assert finding["message"]
    assert finding["why"]
    assert finding["next_step"]
    return finding


async def gone(poolctl: Poolctl) -> None:
    """Wait until doctor finds no problem."""
    async with asyncio.timeout(PATIENCE_S):
        while await problems(poolctl):
            await asyncio.sleep(0.5)


async def send(net: Devnet, role: str, to: str, data: bytes) -> None:
    """Send a call of a role and wait until it is mined."""

    def call() -> None:
        outbox = Outbox(net.chain.rpc)
        outbox.call(net.account(role), "a planted fault", to, data)
        outbox.flush()

    await asyncio.to_thread(call)


async def test_the_pool_is_healthy(poolctl: Poolctl) -> None:
    await gone(poolctl)


async def test_a_default_password(net: Devnet, tmp_path: Path) -> None:
    finding = await found(pool_in(tmp_path, net, PROD_GRAFANA_ADMIN_PASSWORD="changeme"), "DEFAULT_PASSWORD")
    assert "PROD_GRAFANA_ADMIN_PASSWORD" in finding["message"]


async def test_a_full_disk(net: Devnet, small_volume: MountVolume) -> None:
    volume = small_volume(20 << 20)
    poolctl = pool_in(volume.path, net)
    assert "DISK_FULL" not in await problems(poolctl)
    volume.fill()
    assert str(volume.path) in (await found(poolctl, "DISK_FULL"))["message"]


async def test_an_expired_certificate(net: Devnet, tmp_path: Path) -> None:
    files = Authority(tmp_path).issue(days=-2)
    assert files.certificate is not None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        poolctl = pool_in(tmp_path, net, IEXEC_SMS_URL=url, WORKERPOOL_TLS_CA=str(files.ca))
        finding = await found(poolctl, "CERTIFICATE_EXPIRED")
    assert url in finding["message"]
    assert "ago" in finding["message"]


async def test_a_closed_port(net: Devnet, poolctl: Poolctl) -> None:
    proxy = net.services["result_proxy"]
    proxy.stop_for_good()
    finding = await found(poolctl, "PORT_CLOSED")
    assert finding["subject"] == "result_proxy"
    assert "connection refused" in finding["why"]
    await proxy.restart()
    await gone(poolctl)


async def test_an_empty_wallet(net: Devnet, poolctl: Poolctl) -> None:
    owner = net.account("poolOwner").address
    balance = net.chain.rpc.call("eth_getBalance", owner, "latest")
    net.chain.rpc.call("anvil_setBalance", owner, "0x0")
    finding = await found(poolctl, "EMPTY_WALLET")
    assert owner in finding["message"]
    assert owner in finding["next_step"]
    net.chain.rpc.call("anvil_setBalance", owner, balance)
    await gone(poolctl)


async def test_a_low_stake(net: Devnet, poolctl: Poolctl) -> None:
    stake = net.market.hub.functions.viewAccount(net.account("poolOwner").address).call()[0]
    await send(net, "poolOwner", net.contracts.hub, abi.HUB.encode("withdraw", stake))
    finding = await found(poolctl, "LOW_STAKE")
    assert "stake" in finding["message"]
    data = abi.RLC.encode("approveAndCall", net.contracts.hub, stake, b"")
    await send(net, "poolOwner", net.contracts.rlc, data)
    await gone(poolctl)


async def test_a_wrong_pool_owner(net: Devnet, poolctl: Poolctl) -> None:
    owner, other = net.account("poolOwner").address, net.account("spare").address
    registry, token = net.contracts.workerpool_registry, int(net.workerpool, 16)
    await send(net, "poolOwner", registry, TRANSFER.encode(owner, other, token))
    finding = await found(poolctl, "WRONG_POOL_OWNER")
    assert owner in finding["message"]
    assert other in finding["message"]
    await send(net, "spare", registry, TRANSFER.encode(other, owner, token))
    await gone(poolctl)


async def test_a_core_behind_the_chain(net: Devnet, poolctl: Poolctl, relay: Relay) -> None:
    await relay.cut()
    net.chain.rpc.call("anvil_mine", hex(1_000))
    finding = await found(poolctl, "CHAIN_BEHIND")
    assert "core is" in finding["message"]
    await relay.start()
    await gone(poolctl)


async def test_a_database_that_is_down(net: Devnet, poolctl: Poolctl) -> None:
    net.database.kill()
    finding = await found(poolctl, "MONGO_DOWN")
    assert "database" in finding["message"]
    net.database.revive()
    await gone(poolctl)


async def test_a_clock_that_differs(net: Devnet, poolctl: Poolctl) -> None:
    """Comes last: the time of a chain does not go back."""
    net.chain.rpc.call("evm_increaseTime", hex(7_200))
    net.chain.rpc.call("anvil_mine", "0x1")
    finding = await found(poolctl, "CLOCK_SKEW")
    assert "behind the newest block" in finding["message"]
