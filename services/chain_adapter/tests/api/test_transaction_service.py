"""Commands and their effects on the real contracts, called by gRPC."""

import asyncio
from typing import Any

import grpc
import pytest
from workerpool_chain_adapter.api import transaction_service
from workerpool_devnet.market.trading import Deal
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc as pb_grpc

LINK = '{"storage":"ipfs","location":"/ipfs/QmTest"}'

INITIALIZE, FINALIZE = pb.COMMAND_KIND_INITIALIZE, pb.COMMAND_KIND_FINALIZE
REOPEN, CLAIM = pb.COMMAND_KIND_REOPEN, pb.COMMAND_KIND_CLAIM


def task_hex(deal: Deal, index: int = 0) -> str:
    return deal.task_ids[index]


def initialize(deal: Deal, index: int = 0) -> pb.InitializeRequest:
    return pb.InitializeRequest(deal_id=deal.deal_id, task_index=index)


async def test_initialize_makes_the_task_active(adapter: Any, pool: Any) -> None:
    deal = pool.buy()
    answer = await adapter.api.Initialize(initialize(deal))
    assert answer.command.task_id == task_hex(deal)
    command = await adapter.outcome(task_hex(deal), INITIALIZE)
    assert command.state == pb.COMMAND_STATE_SUCCESS
    assert command.block_number > 0
    assert command.gas_used > 0
    assert command.attempts == 1
    assert (await pool.task(deal.task_ids[0])).status is ChainTaskStatus.ACTIVE


async def test_the_same_request_twice_is_one_transaction(adapter: Any, pool: Any) -> None:
    """Scenario 28: a duplicate is the same command."""
    deal, before = pool.buy(), pool.owner_nonce()
    answers = await asyncio.gather(*(adapter.api.Initialize(initialize(deal)) for _ in range(20)))
    assert {answer.command.task_id for answer in answers} == {task_hex(deal)}
    first = await adapter.outcome(task_hex(deal), INITIALIZE)
    again = (await adapter.api.Initialize(initialize(deal))).command
    assert again == first
    assert pool.owner_nonce() == before + 1


async def test_a_bag_is_initialized_in_a_few_transactions(adapter: Any, pool: Any) -> None:
    """Scenario 30: a burst of initializations."""
    deal, before = pool.buy(volume=20), pool.owner_nonce()
    await asyncio.gather(*(adapter.api.Initialize(initialize(deal, index)) for index in range(20)))
    commands = await asyncio.gather(*(adapter.outcome(task_hex(deal, i), INITIALIZE) for i in range(20)))
    assert {command.state for command in commands} == {pb.COMMAND_STATE_SUCCESS}
    # How many share a transaction depends on how closely they arrive.
    assert pool.owner_nonce() - before <= 10


async def test_finalize_completes_the_task_with_its_result_link(adapter: Any, pool: Any) -> None:
    deal = pool.buy()
    await adapter.api.Initialize(initialize(deal))
    await adapter.outcome(task_hex(deal), INITIALIZE)
    pool.contribute(deal)
    pool.reveal(deal)
    await adapter.api.Finalize(pb.FinalizeRequest(task_id=task_hex(deal), result_link=LINK))
    command = await adapter.outcome(task_hex(deal), FINALIZE)
    assert command.state == pb.COMMAND_STATE_SUCCESS
    task = await pool.task(deal.task_ids[0])
    assert (task.status, task.results.decode()) == (ChainTaskStatus.COMPLETED, LINK)


async def test_an_effect_of_another_wallet_is_a_success(adapter: Any, pool: Any) -> None:
    """Scenario 28: already initialized."""
    deal, before = pool.buy(), pool.owner_nonce()
    pool.initialize(deal, 0)
    command = (await adapter.api.Initialize(initialize(deal))).command
    assert (command.state, command.block_number) == (pb.COMMAND_STATE_SUCCESS, 0)
    assert pool.owner_nonce() == before


async def test_reopen_and_claim(adapter: Any, pool: Any) -> None:
    deal = pool.buy()
    pool.initialize(deal, 0)
    pool.contribute(deal)
    task = task_hex(deal)
    with pytest.raises(grpc.aio.AioRpcError) as early:
        await adapter.api.Reopen(pb.ReopenRequest(task_id=task))
    assert error_reason(early.value) == "REVEAL_DEADLINE_NOT_REACHED"
    pool.chain.chain.increase_time(601)
    await adapter.api.Reopen(pb.ReopenRequest(task_id=task))
    assert (await adapter.outcome(task, REOPEN)).state == pb.COMMAND_STATE_SUCCESS
    assert (await pool.task(deal.task_ids[0])).status is ChainTaskStatus.ACTIVE
    pool.chain.chain.increase_time(3000)
    await adapter.api.Claim(pb.ClaimRequest(task_id=task))
    assert (await adapter.outcome(task, CLAIM)).state == pb.COMMAND_STATE_SUCCESS
    assert (await pool.task(deal.task_ids[0])).status is ChainTaskStatus.FAILED
    # The task has moved on, and the reopening succeeded before.
    again = await adapter.api.Reopen(pb.ReopenRequest(task_id=task))
    assert again.command.state == pb.COMMAND_STATE_SUCCESS


async def test_an_impossible_request_is_refused_with_the_reason(adapter: Any, pool: Any) -> None:
    deal = pool.buy()
    task, missing, invalid = task_hex(deal), grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
    api = adapter.api
    for method, request, code, reason in (
        (api.Initialize, pb.InitializeRequest(deal_id="0x" + "12" * 32), missing, "DEAL_NOT_FOUND"),
        (api.Initialize, initialize(deal, 1), missing, "TASK_INDEX_OUTSIDE_DEAL"),
        (api.Finalize, pb.FinalizeRequest(task_id=task, result_link=LINK), missing, "TASK_NOT_FOUND"),
        (api.Claim, pb.ClaimRequest(task_id=task), missing, "TASK_NOT_FOUND"),
        (api.GetCommand, pb.GetCommandRequest(task_id=task, kind=INITIALIZE), missing, "COMMAND_NOT_FOUND"),
        (api.Initialize, pb.InitializeRequest(deal_id="0x12"), invalid, "INVALID_ARGUMENT"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await method(request)
        assert (refused.value.code(), error_reason(refused.value)) == (code, reason)


async def test_deadlines_are_respected(adapter: Any, pool: Any) -> None:
    deal = pool.buy()
    pool.chain.chain.increase_time(2101)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await adapter.api.Initialize(initialize(deal))
    assert error_reason(refused.value) == "CONTRIBUTION_DEADLINE_REACHED"


async def test_a_call_without_the_password_is_refused(adapter: Any, pool: Any) -> None:
    """Scenario 31: a call with a wrong password is refused."""
    async with open_channel(
        f"127.0.0.1:{adapter.port}", basic=("admin", "wrong"), own_subchannel=True
    ) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await pb_grpc.TransactionServiceStub(channel).GetWallet(pb.GetWalletRequest())
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_journal_can_be_paged(adapter: Any, pool: Any) -> None:
    deal = pool.buy(volume=5)
    await asyncio.gather(*(adapter.api.Initialize(initialize(deal, index)) for index in range(5)))
    seen, token = [], ""
    while True:
        page = await adapter.api.ListCommands(pb.ListCommandsRequest(page_size=2, page_token=token))
        seen += [command.task_id for command in page.commands]
        token = page.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(task_hex(deal, index) for index in range(5))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await adapter.api.ListCommands(pb.ListCommandsRequest(page_token="nonsense"))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_every_method_of_the_service_needs_the_admin_role() -> None:
    methods = pb.DESCRIPTOR.services_by_name["TransactionService"].methods
    assert {
        f"/{transaction_service.SERVICE}/{method.name}": {transaction_service.ADMIN} for method in methods
    } == transaction_service.POLICY
