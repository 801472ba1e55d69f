"""The parts of poolctl that talk to a pool, in this process, against the real services."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from patience import PATIENCE_S
from poolctl.adapters.adapter import Adapter
from poolctl.adapters.chain import chain_of, hub_of
from poolctl.adapters.checks.chain_facts import collect_chain_facts, configured_chain
from poolctl.adapters.checks.collect import collect
from poolctl.adapters.checks.service_facts import collect_service_facts
from poolctl.adapters.core import Core
from poolctl.adapters.publisher import market_orders, offers
from poolctl.adapters.services import Services, documented_target
from poolctl.domain.diagnosis.diagnosis import diagnose
from poolctl.domain.diagnosis.findings import Severity
from poolctl.errors import CommandFailed, NotFound, Refused, Unreachable, UnusableSettings
from poolctl.settings import PoolctlSettings
from pydantic import SecretStr
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_service_ports

from e2e.operator_command import OPERATOR, PASSWORD, PUBLISHER_PASSWORD, WITH_OPERATOR

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with one worker, a market and an order publisher."""
    async with Devnet(DevnetOptions(workers=1, sdk=True, environment=WITH_OPERATOR)) as running:
        yield running


@pytest.fixture(scope="module")
def settings(net: Devnet) -> PoolctlSettings:
    own, services = net.services["core"].spec.environment, net.services
    return PoolctlSettings(
        core_url=services["core"].http,
        operator_username=OPERATOR,
        operator_password=SecretStr(PASSWORD),
        adapter_url=services["chain_adapter"].http,
        adapter_username=own["IEXEC_CORE_CHAIN_ADAPTER_USERNAME"],
        adapter_password=SecretStr(Path(own["IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE"]).read_text()),
        publisher_url=services["order_publisher"].http,
        publisher_username=OPERATOR,
        publisher_password=SecretStr(PUBLISHER_PASSWORD),
        proxy_url=services["result_proxy"].http,
        registry_url=services["registry"].http,
        market_url=services["market"].http,
        pool_address=net.workerpool,
    )


async def test_a_worker_is_found_by_wallet_prefix_or_name(net: Devnet, settings: PoolctlSettings) -> None:
    wallet = net.account("worker-1").address
    async with Services(settings) as services:
        core = Core(services)
        assert [each["wallet_address"] for each in await core.workers()] == [wallet]
        assert {await core.wallet_of(name) for name in (wallet, wallet[:9], "worker-1")} == {wallet}
        with pytest.raises(NotFound, match="no worker is named worker-9"):
            await core.wallet_of("worker-9")
        drained = await core.drain(wallet, for_s=3_600)
        assert drained["drained_until"] is not None
        assert "drain" in (await core.worker(wallet))["idle_reason"]
        assert (await core.undrain(wallet))["drained_until"] is None
        assert (await core.quarantine(wallet, for_s=3_600))["quarantined_until"] is not None
        assert (await core.worker(wallet))["worker"]["reason"]["code"] == "WORKER_QUARANTINED"
        with pytest.raises(NotFound, match="has registered"):
            await core.unregistered("0x" + "ab" * 20)
        assert (await core.release(wallet))["quarantined_until"] is None


async def test_a_task_is_found_by_the_start_of_its_id(net: Devnet, settings: PoolctlSettings) -> None:
    deal = await net.buy(await net.create_app("parts", "example/never-run:1"), volume=3)
    async with Services(settings) as services:
        core = Core(services)
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await core.tasks(deal=deal.deal_id, limit=2)) < 2:
                await asyncio.sleep(0.1)
        assert deal.deal_id in {each["deal_id"] for each in await core.deals()}
        assert (await core.deal(deal.deal_id))["deal"]["bot_size"] == 3
        async for task in core.watch(found[0]["task_id"]):
            assert task["task_id"] == found[0]["task_id"]
            break
        assert await core.task_id_of(found[0]["task_id"][:20]) == found[0]["task_id"]


async def test_the_adapter_and_the_publisher_answer_with_credentials(
    net: Devnet, settings: PoolctlSettings
) -> None:
    async with Services(settings) as services:
        assert (await Adapter(services).wallet())["address"] == net.account("poolOwner").address
        assert isinstance(await Adapter(services).commands(state="FAILURE"), list)
        assert (await offers(services))["open_volume"] >= 0


async def test_missing_and_wrong_credentials_are_refused(net: Devnet, settings: PoolctlSettings) -> None:
    without = settings.model_copy(
        update={"operator_password": None, "adapter_password": SecretStr("another one")}
    )
    async with Services(without) as services:
        with pytest.raises(Refused, match="no operator's credentials"):
            await Core(services).undrain(net.account("worker-1").address)
        with pytest.raises(Refused, match="wrong user name or password"):
            await Adapter(services).wallet()


async def test_credentials_do_not_leave_the_host_without_tls(settings: PoolctlSettings) -> None:
    far = settings.model_copy(update={"core_url": "http://far.example:13000"})
    async with Services(far) as services:
        with pytest.raises(UnusableSettings, match="without TLS"):
            services.channel("core", operator=True)
    assert documented_target("http://far.example:13000") == "far.example:23000"


async def test_the_market_lists_the_orders_of_the_pool(net: Devnet, settings: PoolctlSettings) -> None:
    url, chain_id = str(settings.market_url), str(net.chain.chain_id)
    found = await market_orders(url, {"chainId": chain_id, "workerpool": net.workerpool})
    assert {each["order"]["workerpool"].lower() for each in found} <= {net.workerpool.lower()}
    with pytest.raises(CommandFailed, match="refuses the question"):
        await market_orders(url, {"chainId": "1"})
    with pytest.raises(Unreachable, match="does not answer"):
        await market_orders(f"http://127.0.0.1:{free_service_ports().http}", {})


async def test_a_service_shows_version_health_clock_and_ports(settings: PoolctlSettings) -> None:
    found = await collect_service_facts("core", settings.core)
    assert (found.problem, found.grpc is not None and found.grpc.problem) == ("", "")
    assert found.health is not None
    assert found.version
    assert found.clock_offset_s is not None


async def test_the_chain_shows_owner_and_stake(net: Devnet, settings: PoolctlSettings) -> None:
    chain = await configured_chain(settings)
    assert chain == await chain_of(settings)
    owner = net.account("poolOwner").address
    found, stake = await collect_chain_facts(settings, chain, net.workerpool, owner)
    assert found is not None
    assert (found.problem, found.owner, found.pool_exists) == ("", owner, True)
    assert stake is not None
    missing, _ = await collect_chain_facts(settings, chain, "0x" + "ab" * 20, "")
    assert missing is not None
    assert not missing.pool_exists
    with pytest.raises(UnusableSettings, match="serves chain"):
        async with hub_of(net.chain.url, net.contracts.hub, 1):
            pass


async def test_the_facts_of_a_healthy_pool_hold_no_problem(settings: PoolctlSettings, tmp_path: Path) -> None:
    steps: list[str] = []
    facts = await collect(settings, {}, tmp_path, now=time.time(), version="1", say=steps.append)
    assert [each.message for each in diagnose(facts) if each.severity is Severity.PROBLEM] == []
    assert steps
