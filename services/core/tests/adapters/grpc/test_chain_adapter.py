"""Each transaction is requested once and followed to its final state; an outage leaves the outcome unknown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_core.adapters.grpc import chain_adapter
from workerpool_core.adapters.grpc.chain_adapter import ChainAdapterClient
from workerpool_core.domain.decisions import RequestTransaction
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.grpc.errors import abort
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import (
    TransactionServiceServicer,
    add_TransactionServiceServicer_to_server,
)

TASK, DEAL = TaskId("0x" + "ab" * 32), DealId("0x" + "cd" * 32)
INITIALIZE = RequestTransaction(TransactionKind.INITIALIZE, TASK, DEAL, 3)
FINALIZE = RequestTransaction(TransactionKind.FINALIZE, TASK, result_link="link", callback_data="0x01")


class Refused(WorkerpoolError):
    kind = Kind.PRECONDITION
    reason = "TASK_NOT_ACTIVE"


class Adapter(TransactionServiceServicer):
    """A chain adapter whose answers the test sets."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.watches = self.open_watches = self.max_watches = 0
        self.first = pb.Command(task_id=TASK, state=pb.COMMAND_STATE_RECEIVED)
        self.later: list[pb.Command] = []
        self.error: WorkerpoolError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.watch_gate = asyncio.Event()
        self.watch_gate.set()

    async def _take(self, request: Any, context: Any) -> pb.Command:
        self.requests.append(request)
        await self.gate.wait()
        if self.error is not None:
            await abort(context, self.error)
        return self.first

    async def Initialize(self, request: Any, context: Any) -> Any:
        return pb.InitializeResponse(command=await self._take(request, context))

    async def Finalize(self, request: Any, context: Any) -> Any:
        return pb.FinalizeResponse(command=await self._take(request, context))

    async def Claim(self, request: Any, context: Any) -> Any:
        return pb.ClaimResponse(command=await self._take(request, context))

    async def WatchCommand(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.watches += 1
        self.open_watches += 1
        self.max_watches = max(self.max_watches, self.open_watches)
        try:
            yield pb.WatchCommandResponse(command=self.first)
            await self.watch_gate.wait()
        finally:
            self.open_watches -= 1
        for command in self.later:
            yield pb.WatchCommandResponse(command=command)


class Harness:
    """The client, its chain adapter, and the answers it received."""

    def __init__(self, port: int, adapter: Adapter) -> None:
        self.adapter = adapter
        self.answers: list[TransactionAnswered] = []
        self._more = asyncio.Event()
        self.channel = open_channel(f"127.0.0.1:{port}", own_subchannel=True)
        self.client = ChainAdapterClient(self.channel, self._take)

    def _take(self, answer: TransactionAnswered) -> None:
        self.answers.append(answer)
        self._more.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._more.clear()
                await self._more.wait()

    async def answer_to(self, wanted: RequestTransaction) -> TransactionAnswered:
        self.client.request(wanted)
        await self.until(lambda: bool(self.answers))
        return self.answers[-1]


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    server, adapter = grpc.aio.server(), Adapter()  # type: ignore[abstract]
    add_TransactionServiceServicer_to_server(adapter, server)
    harness = Harness(server.add_insecure_port("127.0.0.1:0"), adapter)
    await server.start()
    yield harness
    await harness.client.close()
    await harness.channel.close(None)
    await server.stop(0)


async def test_a_command_is_followed_to_its_success(harness: Harness) -> None:
    harness.adapter.later = [
        pb.Command(state=pb.COMMAND_STATE_PROCESSING),
        pb.Command(state=pb.COMMAND_STATE_SUCCESS, block_number=7),
    ]
    answer = await harness.answer_to(INITIALIZE)
    assert answer == TransactionAnswered(TASK, TransactionKind.INITIALIZE, True, block=7)
    assert harness.adapter.requests == [pb.InitializeRequest(deal_id=DEAL, task_index=3)]


async def test_a_completed_command_is_not_watched(harness: Harness) -> None:
    harness.adapter.first = pb.Command(state=pb.COMMAND_STATE_SUCCESS, block_number=2)
    answer = await harness.answer_to(FINALIZE)
    assert (answer.succeeded, answer.block, harness.adapter.watches) == (True, 2, 0)
    assert harness.adapter.requests == [
        pb.FinalizeRequest(task_id=TASK, result_link="link", callback_data="0x01")
    ]


async def test_a_stream_that_ends_early_is_reopened(harness: Harness) -> None:
    """Scenario 30: the status client after an exception of its stream, as often as it takes."""

    def succeed() -> None:
        harness.adapter.later = [pb.Command(state=pb.COMMAND_STATE_SUCCESS)]

    asyncio.get_running_loop().call_later(0.05, succeed)
    assert (await harness.answer_to(INITIALIZE)).succeeded is True
    assert harness.adapter.watches > 1


async def test_a_failed_command_has_its_reason(harness: Harness) -> None:
    """Scenario 30: the status client of a command that failed."""
    harness.adapter.later = [pb.Command(state=pb.COMMAND_STATE_FAILURE, error_reason="REVERTED")]
    answer = await harness.answer_to(FINALIZE)
    assert (answer.succeeded, answer.reason) == (False, "REVERTED")


async def test_a_refusal_is_a_failure(harness: Harness) -> None:
    harness.adapter.error = Refused("no")
    answer = await harness.answer_to(INITIALIZE)
    assert (answer.succeeded, answer.reason) == (False, "TASK_NOT_ACTIVE")


async def test_a_client_that_is_interrupted_answers_nothing(harness: Harness) -> None:
    """Scenario 30: the status client is interrupted; the next process requests the command again."""
    harness.adapter.watch_gate.clear()
    harness.client.request(INITIALIZE)
    async with asyncio.timeout(PATIENCE_S):
        while not harness.adapter.open_watches:
            await asyncio.sleep(0.01)
    await harness.client.close()
    async with asyncio.timeout(PATIENCE_S):
        while harness.adapter.open_watches:
            await asyncio.sleep(0.01)
    assert harness.answers == []


async def test_an_unreachable_adapter_leaves_the_outcome_unknown(harness: Harness) -> None:
    """Scenario 30: the status client of an adapter that is away."""
    away = ChainAdapterClient(open_channel("127.0.0.1:9"), harness.answers.append)
    away.request(INITIALIZE)
    async with asyncio.timeout(PATIENCE_S):
        while not harness.answers:
            await asyncio.sleep(0.01)
    assert harness.answers[0].succeeded is None
    assert away.reachable is False


@pytest.mark.parametrize(("pause_s", "answered"), [(60.0, 2), (0.01, 5)])
async def test_an_adapter_that_is_down_gets_few_calls_at_a_time(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, pause_s: float, answered: int
) -> None:
    monkeypatch.setattr(chain_adapter, "_FAILURE_PAUSE_S", pause_s)
    monkeypatch.setitem(chain_adapter._CONCURRENT_CALLS, TransactionKind.CLAIM, 2)
    away = ChainAdapterClient(open_channel("127.0.0.1:9"), harness._take)
    for index in range(5):
        away.request(RequestTransaction(TransactionKind.CLAIM, TaskId(f"0x{index:064x}")))
    await harness.until(lambda: len(harness.answers) >= answered)
    # The others wait for their turn.
    assert len(away._in_flight) == 5 - answered
    await away.close()


async def test_deal_dry_bag_the_claims_of_a_bag_delay_no_finalization(harness: Harness) -> None:
    harness.adapter.gate.clear()
    for index in range(200):
        harness.client.request(RequestTransaction(TransactionKind.CLAIM, TaskId(f"0x{index:064x}")))
    harness.client.request(FINALIZE)
    async with asyncio.timeout(PATIENCE_S):
        while not any(isinstance(request, pb.FinalizeRequest) for request in harness.adapter.requests):
            await asyncio.sleep(0.01)
    claims = chain_adapter._CONCURRENT_CALLS[TransactionKind.CLAIM]
    assert len(harness.adapter.requests) <= claims + 1
    harness.adapter.gate.set()


def test_the_calls_and_streams_of_all_kinds_fit_into_one_connection() -> None:
    calls, watches = chain_adapter._CONCURRENT_CALLS, chain_adapter._WATCHED_COMMANDS
    assert set(calls) == set(watches) == set(TransactionKind)
    assert sum(calls.values()) + sum(watches.values()) < 200


async def test_a_request_in_flight_is_not_repeated_until_its_answer(harness: Harness) -> None:
    harness.adapter.first = pb.Command(state=pb.COMMAND_STATE_SUCCESS)
    harness.adapter.gate.clear()
    harness.client.request(INITIALIZE)
    harness.client.request(INITIALIZE)
    harness.adapter.gate.set()
    await harness.until(lambda: len(harness.answers) == 1)
    harness.client.request(INITIALIZE)
    await harness.until(lambda: len(harness.answers) == 2)
    assert len(harness.adapter.requests) == 2


async def test_commands_above_the_limit_of_streams_wait_and_are_completed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adapter admits a bounded number of calls per connection, however large a bag is."""
    monkeypatch.setitem(chain_adapter._WATCHED_COMMANDS, TransactionKind.CLAIM, 2)
    client = ChainAdapterClient(harness.channel, harness._take)
    harness.adapter.watch_gate.clear()
    harness.adapter.later = [pb.Command(state=pb.COMMAND_STATE_SUCCESS)]
    tasks = [TaskId(f"0x{index:064x}") for index in range(7)]
    for task in tasks:
        client.request(RequestTransaction(TransactionKind.CLAIM, task))
    async with asyncio.timeout(PATIENCE_S):
        while harness.adapter.open_watches < 2:
            await asyncio.sleep(0.01)
    harness.adapter.watch_gate.set()
    await harness.until(lambda: len(harness.answers) == len(tasks))
    assert {answer.task_id for answer in harness.answers} == set(tasks)
    assert harness.adapter.max_watches == 2
    await client.close()
