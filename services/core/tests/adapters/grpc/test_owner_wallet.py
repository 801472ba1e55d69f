"""The wallet of the chain adapter: what an answer says, and nothing while there is none."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_core.adapters.grpc.owner_wallet import OwnerWalletReader, wallet_of
from workerpool_core.app.ports import OwnerWallet
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import (
    TransactionServiceServicer,
    add_TransactionServiceServicer_to_server,
)

WALLET = "0x" + "11" * 20


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({}, ""),
        ({"transactions_left": 3}, ""),
        ({"transactions_left": 0}, "its balance of 7 wei pays for no transaction at the current gas price"),
        ({"parked_reason": "no coins; send some."}, "no coins; send some"),
        ({"parked_reason": "the fee exceeds the cap", "transactions_left": 0}, "the fee exceeds the cap"),
    ],
)
def test_an_answer_says_whether_the_wallet_can_send(answer: dict[str, Any], problem: str) -> None:
    found = wallet_of(pb.GetWalletResponse(address=WALLET, balance_wei="7", **answer))
    assert found == OwnerWallet(WALLET, "7", problem)


class Adapter(TransactionServiceServicer):
    """A chain adapter that is up or down as the test says."""

    def __init__(self) -> None:
        self.up = True
        self.calls = 0
        self.target = ""

    async def GetWallet(self, request: Any, context: Any) -> Any:
        self.calls += 1
        if not self.up:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        return pb.GetWalletResponse(address=WALLET, balance_wei="7")


@pytest.fixture
async def adapter() -> AsyncIterator[Adapter]:
    server, adapter = grpc.aio.server(), Adapter()  # type: ignore[abstract]
    add_TransactionServiceServicer_to_server(adapter, server)
    adapter.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield adapter
    await server.stop(None)


async def test_the_wallet_is_read_again_and_forgotten_while_the_adapter_is_down(adapter: Adapter) -> None:
    async with grpc.aio.insecure_channel(adapter.target) as channel:
        reader = OwnerWalletReader(channel)
        running = asyncio.create_task(reader.run(0.001))
        try:
            async with asyncio.timeout(PATIENCE_S):
                while reader.latest is None:
                    await asyncio.sleep(0)
                assert reader.latest == OwnerWallet(WALLET, "7")
                adapter.up = False
                while reader.latest is not None:
                    await asyncio.sleep(0)
        finally:
            running.cancel()
            await asyncio.wait({running})
