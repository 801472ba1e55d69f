"""Transactions of the pool owner before there is a chain adapter, by the pipeline of libs/transactions.

The chain shows what is done, so no journal is kept: repeat an interrupted run.
Before anything is sent, a transaction of the wallet that is still in flight must be mined.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from workerpool_kit.clock import SystemClock
from workerpool_kit.runtime.tasks import end_tasks, start_task
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import Hex
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.adapters.memory_journal import MemoryJournal
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Call, Entry, EntryState
from workerpool_transactions.domain.fees import FeePolicy

from poolctl.errors import CommandFailed

_MINED_LIMIT_S = 180.0
_SETTLE_LIMIT_S = 60.0
_POLL_S = 0.5
_DISPLACEMENTS = 3


class Sender:
    """Sends calls of one wallet, one after the other."""

    def __init__(self, hub: HubClient, wallet: Wallet, pipeline: Pipeline) -> None:
        self._hub = hub
        self._node = RpcNode(hub.rpc, wallet.address)
        self._pipeline = pipeline
        self.wallet = wallet

    async def execute(self, call: calls.Call) -> Hex:
        """Send a call and return the hash of its transaction once it is mined. Raises CommandFailed."""
        to = call.to or self._hub.hub_address
        wanted = Call(to, call.data, 0, ("INIT",), value=call.value)
        (estimate,) = await self._node.estimate([wanted])
        if estimate.gas is None:
            raise CommandFailed(
                f"the contract would refuse the transaction: {estimate.problem}",
                "compare hub, pool and wallet, and run init again",
            )
        gas = estimate.gas + estimate.gas // 2
        entry: Entry | None = None
        for _ in range(_DISPLACEMENTS):
            entry = await self._sent(Call(to, call.data, gas, ("INIT",), value=call.value))
            if entry.state is not EntryState.DISPLACED:
                break
        assert entry is not None
        if entry.state is EntryState.MINED and entry.receipt is not None:
            return entry.receipt.hash
        raise CommandFailed(
            f"transaction {entry.latest.hash} ended as {entry.state.value}",
            "read why on an explorer, and run init again",
        )

    async def _sent(self, call: Call) -> Entry:
        reason = "the node does not answer"
        try:
            async with asyncio.timeout(_MINED_LIMIT_S):
                (entry,) = await self._pipeline.submit([call])
                reason = ""
                return await self._pipeline.wait(entry.nonce)
        except TimeoutError:
            why = reason or self._pipeline.status().parked_reason or "no block holds it yet"
            raise CommandFailed(
                f"the transaction is not mined after {_MINED_LIMIT_S:.0f} s: {why}",
                "wait until it is mined, then run init again: it continues where it stopped",
            ) from None


@asynccontextmanager
async def sender(
    hub: HubClient, wallet: Wallet, *, free_gas: bool, block_time_s: float, gas_price_cap: int
) -> AsyncIterator[Sender]:
    """Open a sender. Raises CommandFailed while another transaction of the wallet is in flight, ChainUnreachable."""
    node = RpcNode(hub.rpc, wallet.address)
    await _nothing_in_flight(node, wallet)
    policy = FeePolicy(cap=0 if free_gas else gas_price_cap)
    pipeline = Pipeline(
        node=node,
        journal=MemoryJournal(),
        signer=WalletSigner(wallet, hub.chain_id),
        clock=SystemClock(),
        timer=AsyncioTimer(),
        policy=policy,
        profile=await detect_profile(hub.rpc, hub.chain_id, policy=policy),
        settle=_ignore,
        restore=_ignore,
        block_time_s=block_time_s,
    )
    await pipeline.resume()
    running = start_task(pipeline.run(), name="transactions")
    try:
        yield Sender(hub, wallet, pipeline)
    finally:
        await end_tasks(running)


async def _nothing_in_flight(node: RpcNode, wallet: Wallet) -> None:
    try:
        async with asyncio.timeout(_SETTLE_LIMIT_S):
            while True:
                counts = await node.counts()
                if counts.pending <= counts.mined:
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise CommandFailed(
            f"a transaction of {wallet.address} is still in flight",
            "wait until it is mined, then run init again: it may be one of an interrupted run",
        ) from None


async def _ignore(_entries: Sequence[Entry]) -> None:
    """Ignore entries that ended or are in flight again."""
