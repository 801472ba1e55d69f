"""Periodic reads of the chain adapter's wallet, because an empty one stops every transaction of the pool."""

import asyncio
from typing import Any

import grpc
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import TransactionServiceStub

from workerpool_core.app.ports import OwnerWallet

PERIOD_S = 5.0
_CALL_TIMEOUT_S = 3.0


class OwnerWalletReader:
    """The last read state of the wallet; None while unknown, such as when the adapter does not answer."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = TransactionServiceStub(channel)
        self.latest: OwnerWallet | None = None

    async def run(self, period_s: float = PERIOD_S) -> None:
        """Read until cancelled."""
        while True:
            self.latest = await self._read()
            await asyncio.sleep(period_s)

    async def _read(self) -> OwnerWallet | None:
        try:
            found = await self._stub.GetWallet(pb.GetWalletRequest(), timeout=_CALL_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            # The health component `adapter` reports the reason.
            return None
        return wallet_of(found)


def wallet_of(found: pb.GetWalletResponse) -> OwnerWallet:
    """Return the wallet in an answer of the adapter."""
    problem = found.parked_reason.rstrip(".")
    if not problem and found.HasField("transactions_left") and found.transactions_left == 0:
        problem = f"its balance of {found.balance_wei} wei pays for no transaction at the current gas price"
    return OwnerWallet(found.address, found.balance_wei, problem)
