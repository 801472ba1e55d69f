"""The journal and the wallet of the chain adapter, read over gRPC."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_core.adapters.grpc import adapter_journal
from workerpool_core.adapters.grpc.adapter_journal import AdapterJournal
from workerpool_core.app.ports import CommandQuery, CommandState, TransactionCommand, WalletState
from workerpool_core.errors import AdapterUnavailable, BadPageToken
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.grpc.errors import abort
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import (
    TransactionServiceServicer,
    add_TransactionServiceServicer_to_server,
)

TASK = "0x" + "ab" * 32


class Refused(WorkerpoolError):
    """A refusal whose kind a test sets."""


class Adapter(TransactionServiceServicer):
    """A chain adapter whose answers the test sets."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.commands = pb.ListCommandsResponse()
        self.wallet = pb.GetWalletResponse()
        self.error: WorkerpoolError | None = None

    async def ListCommands(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        if self.error is not None:
            await abort(context, self.error)
        return self.commands

    async def GetWallet(self, request: Any, context: Any) -> Any:
        return self.wallet


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()  # type: ignore[abstract]


@pytest.fixture
async def journal(adapter: Adapter) -> AsyncIterator[AdapterJournal]:
    server = grpc.aio.server()
    add_TransactionServiceServicer_to_server(adapter, server)
    channel = open_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", own_subchannel=True)
    await server.start()
    yield AdapterJournal(channel)
    await channel.close(None)
    await server.stop(0)


async def test_a_page_of_commands_is_read_with_its_filters(journal: AdapterJournal, adapter: Adapter) -> None:
    adapter.commands = pb.ListCommandsResponse(
        commands=[
            pb.Command(
                task_id=TASK,
                kind=pb.COMMAND_KIND_FINALIZE,
                state=pb.COMMAND_STATE_FAILURE,
                transaction_hash="0x01",
                block_number=7,
                gas_used=9,
                error_reason="TASK_NOT_REVEALING",
                error_message="it is closed",
                created_at=Timestamp(seconds=10, nanos=500_000_000),
                updated_at=Timestamp(seconds=11),
                attempts=2,
            )
        ],
        next_page_token="more",
    )
    page = await journal.commands(CommandQuery(CommandState.FAILURE, TASK), "token", 20)
    assert page.commands == [
        TransactionCommand(
            TASK, "FINALIZE", "FAILURE", "0x01", 7, 9, "TASK_NOT_REVEALING", "it is closed", 10.5, 11.0, 2
        )
    ]
    assert page.next_token == "more"
    (asked,) = adapter.asked
    assert asked == pb.ListCommandsRequest(
        page_size=20, page_token="token", state=pb.COMMAND_STATE_FAILURE, task_id=TASK
    )


async def test_kinds_and_states_of_a_later_release_are_shown_as_numbers(
    journal: AdapterJournal, adapter: Adapter
) -> None:
    later: Any = 99
    adapter.commands = pb.ListCommandsResponse(commands=[pb.Command(kind=later, state=later)])
    (found,) = (await journal.commands(CommandQuery(), "", 20)).commands
    assert (found.kind, found.state) == ("99", "99")


async def test_the_wallet_is_read(journal: AdapterJournal, adapter: Adapter) -> None:
    adapter.wallet = pb.GetWalletResponse(
        address="0x1",
        balance_wei="123456789012345678901234567890",
        mined_nonce=1,
        next_nonce=3,
        in_flight=2,
        oldest_unmined=Duration(seconds=4, nanos=500_000_000),
        transactions_left=0,
        parked_reason="no coins",
        replacements=5,
        gas_price_wei="",
        chain_shape="mempool",
    )
    assert await journal.wallet() == WalletState(
        "0x1", 123456789012345678901234567890, 1, 3, 2, 4.5, 0, "no coins", 5, 0, "mempool"
    )
    adapter.wallet.ClearField("transactions_left")
    assert (await journal.wallet()).transactions_left is None


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (Kind.INVALID, BadPageToken, "start again"),
        (Kind.UNAUTHENTICATED, AdapterUnavailable, "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD"),
        (Kind.UNAVAILABLE, AdapterUnavailable, "does not answer"),
        (Kind.INTERNAL, AdapterUnavailable, "does not answer"),
    ],
)
async def test_a_refusal_says_what_to_correct(
    journal: AdapterJournal, adapter: Adapter, kind: Kind, error: type[Exception], words: str
) -> None:
    class Refusal(Refused):
        pass

    Refusal.kind = kind
    adapter.error = Refusal("refused")
    with pytest.raises(error, match=words):
        await journal.commands(CommandQuery(), "", 20)


async def test_an_adapter_that_is_away_is_named_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_journal, "_LIMIT_S", 0.2)
    channel = open_channel("127.0.0.1:1", own_subchannel=True)
    with pytest.raises(AdapterUnavailable, match="IEXEC_CORE_CHAIN_ADAPTER_URL"):
        await AdapterJournal(channel).wallet()
    await channel.close(None)
