"""Looks at a pool's chain: config server, node, stake and gas, each with the code and the remedy of its fault."""

from typing import Any

import pytest
from doubles.node import BALANCE, CHAIN_ID, answers_text
from google.protobuf.duration_pb2 import Duration
from workerpool_protocol.registry.v1 import config_service_pb2
from workerpool_worker.domain.diagnosis.findings import Code, Severity

from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.pool_services import HUB, POOL, Services, only

NODE_VARIABLE = "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS"

# --- chain -----------------------------------------------------------------------------------------


async def test_without_a_scheduler_the_chain_is_not_checked(services: Services) -> None:
    checks = services.checks()
    assert only(await checks.node(), Severity.SKIPPED).subject == "node"
    assert [each.severity for each in await checks.funds(WORKER)] == [Severity.SKIPPED, Severity.SKIPPED]
    assert "it needs a node of the chain" in (await checks.funds(WORKER))[1].message
    assert "it needs a wallet" in (await checks.funds(None))[0].message


async def test_a_working_node_is_reported_with_its_block(services: Services) -> None:
    checks = await services.ready()
    assert only(await checks.node(), Severity.OK).message == f"chain {CHAIN_ID}, block 16"
    assert checks.block_time == 0x65000000


@pytest.mark.parametrize("url", ["", "http://localhost"])
async def test_a_scheduler_that_names_no_config_server_is_reported(services: Services, url: str) -> None:
    services.core.configuration.config_server_url = url
    finding = only(await (await services.ready()).node())
    assert (finding.subject, finding.code) == ("config server", Code.CONFIG_SERVER_UNREACHABLE)
    assert finding.message.startswith("the config server that the scheduler names: expected a URL")
    assert "the pool's operator" in finding.next_step


async def test_a_config_server_that_does_not_answer_is_reported(services: Services, closed_url: str) -> None:
    services.core.configuration.config_server_url = closed_url
    finding = only(await (await services.ready()).node())
    assert finding.code is Code.CONFIG_SERVER_UNREACHABLE
    assert f"{closed_url} does not answer" in finding.message


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"chain_id": 0}, "the chain id is 0"),
        ({"hub_address": ""}, "the hub address is ''"),
        ({"hub_address": "0x12"}, "the hub address is '0x12'"),
        ({"block_time": Duration()}, "the block time is 0 s"),
        ({"block_time": Duration(seconds=1 << 62)}, "no usable chain configuration"),
    ],
    ids=str,
)
async def test_a_malformed_chain_is_the_config_servers_fault(
    services: Services, changes: dict[str, Any], told: str
) -> None:
    kept = {field.name: value for field, value in services.chain.ListFields()}
    services.chain.CopyFrom(config_service_pb2.ChainConfig(**(kept | changes)))
    checks = await services.ready()
    finding = only(await checks.node())
    assert finding.code is Code.CONFIG_SERVER_UNREACHABLE
    assert told in finding.message
    assert (checks.chain, checks.hub) == (None, None)


@pytest.mark.parametrize("named", [True, False])
async def test_a_node_that_does_not_answer_names_the_override(
    services: Services, closed_url: str, named: bool
) -> None:
    variables = {} if named else {NODE_VARIABLE: closed_url}
    services.chain.node_url = closed_url if named else services.node.url
    finding = only(await (await services.ready(**variables)).node())
    assert (finding.subject, finding.code) == ("node", Code.NODE_UNREACHABLE)
    assert NODE_VARIABLE in finding.next_step


@pytest.mark.parametrize("url", ["", "nonsense", "http://"])
async def test_a_config_server_without_a_usable_node_is_reported(services: Services, url: str) -> None:
    services.chain.node_url = url
    finding = only(await (await services.ready()).node())
    assert (finding.subject, finding.code) == ("node", Code.NODE_UNREACHABLE)
    assert finding.message


async def test_the_override_replaces_an_unreachable_node(services: Services, closed_url: str) -> None:
    services.chain.node_url = closed_url
    only(await (await services.ready(**{NODE_VARIABLE: services.node.url})).node(), Severity.OK)


async def test_a_node_of_another_chain_is_reported(services: Services) -> None:
    services.node.results["eth_chainId"] = "0x86"
    checks = await services.ready()
    finding = only(await checks.node())
    assert (finding.code, checks.hub) == (Code.WRONG_CHAIN, None)
    assert f"serves chain 134, not {CHAIN_ID}" in finding.message


async def test_a_chain_without_the_hub_is_reported(services: Services) -> None:
    del services.views["hub", "domain"]
    finding = only(await (await services.ready()).node())
    assert (finding.code, HUB in finding.message) == (Code.WRONG_CHAIN, True)


async def test_a_pool_that_the_chain_does_not_know_is_reported(services: Services) -> None:
    del services.views["workerpool", "owner"]
    finding = only(await (await services.ready()).node())
    assert (finding.code, finding.next_step) == (Code.WRONG_POOL, "Correct POOL_ADDRESS.")
    assert finding.message == f"there is no workerpool {POOL} on chain {CHAIN_ID}"


@pytest.mark.parametrize("text", ["<html>", "[]", "null", '{"jsonrpc": "2.0", "id": 1}'])
async def test_a_server_that_is_no_node_is_reported(services: Services, text: str) -> None:
    services.node.fault = answers_text(text)
    finding = only(await (await services.ready()).node())
    assert finding.code is Code.NODE_UNREACHABLE
    assert finding.message


# --- stake and gas ---------------------------------------------------------------------------------


async def test_stake_and_gas_are_judged(services: Services) -> None:
    checks = await services.ready()
    await checks.node()
    stake, gas = await checks.funds(WORKER)
    assert (stake.severity, gas.severity) == (Severity.OK, Severity.OK)
    wealth = await checks.wealth(WORKER)
    assert (wealth.account.stake, wealth.account.locked, wealth.balance) == (7, 5, BALANCE)
    assert wealth.price > 0


async def test_an_empty_wallet_lacks_both(services: Services) -> None:
    services.views["hub", "viewAccount"] = ((0, 5),)
    services.node.results["eth_getBalance"] = "0x0"
    checks = await services.ready()
    await checks.node()
    assert [each.code for each in await checks.funds(WORKER)] == [Code.NO_STAKE, Code.NO_GAS]


async def test_gas_is_free_on_a_sidechain(services: Services) -> None:
    services.chain.sidechain = True
    services.node.results["eth_getBalance"] = "0x0"
    checks = await services.ready()
    await checks.node()
    assert [each.severity for each in await checks.funds(WORKER)] == [Severity.OK, Severity.OK]


async def test_a_node_that_fails_meanwhile_leaves_the_gas_unjudged(services: Services) -> None:
    checks = await services.ready()
    await checks.node()
    services.node.refuses("eth_getBalance", -32000, "the node is ill")
    stake, gas = await checks.funds(WORKER)
    assert (stake.code, "the node is ill" in stake.message) == (Code.NODE_UNREACHABLE, True)
    assert gas.severity is Severity.SKIPPED
