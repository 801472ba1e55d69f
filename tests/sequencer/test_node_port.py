"""The transaction pipeline's view of a node, over the real words of anvil and of a sequencer."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.domain.answers import SendOutcome
from workerpool_transactions.domain.entry import Call, Offer
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import Shape

from sequencer.behaviour import MEMPOOL, SEQUENCER
from sequencer.conftest import GWEI, Client, Serve

POLICY = FeePolicy()


class Sender:
    """One wallet at the proxy, through the adapters of the pipeline."""

    def __init__(self, client: Client, wallet: Wallet, rpc: JsonRpc) -> None:
        self.client, self.wallet, self.rpc = client, wallet, rpc
        self.node = RpcNode(rpc, wallet.address)
        self.signer = WalletSigner(wallet, client.chain.chain_id)

    def raw(self, nonce: int, offer: Offer = Offer(10 * GWEI, 0), gas: int = 21_000) -> bytes:
        """Return a signed transfer of nothing."""
        return self.signer.sign(nonce, Call(self.wallet.address, b"", gas), offer).raw

    async def outcome(self, nonce: int, offer: Offer = Offer(10 * GWEI, 0), gas: int = 21_000) -> SendOutcome:
        """Send it and return the node's answer."""
        return (await self.node.send(self.raw(nonce, offer, gas))).outcome


@contextlib.asynccontextmanager
async def sender(client: Client, role: str, *, funded: bool = True) -> AsyncIterator[Sender]:
    wallet = client.funded(role)
    if not funded:
        client.chain.rpc.call("anvil_setBalance", wallet.address, "0x0")
    rpc = JsonRpc(client.proxy.url, attempts=2, backoff=0.01, traffic=Traffic(pause_s=0.001))
    try:
        yield Sender(client, wallet, rpc)
    finally:
        await rpc.close()


async def test_a_transaction_of_type_2_is_sequenced_and_has_a_receipt(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client, sender(client, "port-sequenced") as own:
        profile = await detect_profile(own.rpc, client.chain.chain_id, policy=POLICY)
        assert (profile.shape, profile.gas_ceiling) == (Shape.SEQUENCER, 32_000_000)
        quote = await own.node.quote()
        assert quote.base_fee is not None
        version = own.signer.sign(0, Call(own.wallet.address, b"", 21_000), POLICY.offer(quote))
        assert (await own.node.send(version.raw)).outcome is SendOutcome.ACCEPTED
        receipt = (await own.node.receipts([version.hash]))[version.hash]
        assert receipt.succeeded
        assert receipt.gas_used == 21_000
        counts = await own.node.counts()
        assert (counts.mined, counts.pending) == (1, 1)
        assert counts.block_number >= receipt.block_number


async def test_the_refusals_of_a_sequencer(serve: Serve) -> None:
    async with (
        serve(SEQUENCER, block_time_s=0.05, gap_hold_s=0.1) as client,
        sender(client, "port-no") as own,
    ):
        assert await own.outcome(1) is SendOutcome.NONCE_TOO_HIGH
        assert await own.outcome(0, Offer(SEQUENCER.base_fee_wei // 2, 0)) is SendOutcome.FEE_TOO_LOW
        assert await own.outcome(0) is SendOutcome.ACCEPTED
        assert await own.outcome(0) in {SendOutcome.NONCE_TOO_LOW, SendOutcome.ACCEPTED}
        client.proxy.behaviour = client.proxy.behaviour.changed({"deadline_probability": 1.0})
        assert await own.outcome(1) is SendOutcome.BUSY
        client.proxy.behaviour = client.proxy.behaviour.changed({"deadline_probability": 0.0})
        assert await own.outcome(1) is SendOutcome.ACCEPTED, "the same bytes again"


async def test_the_refusals_of_a_node_with_a_mempool(serve: Serve) -> None:
    async with serve(MEMPOOL) as client, sender(client, "port-mempool") as own:
        assert (await detect_profile(own.rpc, client.chain.chain_id, policy=POLICY)).shape is Shape.MEMPOOL
        client.chain.rpc.call("evm_setAutomine", False)
        client.chain.rpc.call("evm_setIntervalMining", 0)
        try:
            raw = own.raw(0)
            assert (await own.node.send(raw)).outcome is SendOutcome.ACCEPTED
            assert (await own.node.send(raw)).outcome is SendOutcome.ACCEPTED
            assert await own.outcome(0, Offer(10 * GWEI, 0), gas=22_000) is SendOutcome.REPLACEMENT_TOO_LOW
            assert await own.outcome(0, Offer(12 * GWEI, 1)) is SendOutcome.ACCEPTED
            assert (await own.node.counts()).pending == 1
            assert await own.outcome(1, gas=20_000) is SendOutcome.INVALID
            assert await own.outcome(1, gas=1 << 40) is SendOutcome.INVALID
            client.chain.rpc.call("evm_mine")
            assert (await own.node.send(raw)).outcome is SendOutcome.NONCE_TOO_LOW
        finally:
            client.chain.rpc.call("evm_setAutomine", True)


@pytest.mark.parametrize("behaviour", [MEMPOOL, SEQUENCER], ids=["mempool", "sequencer"])
async def test_insufficient_funds_are_distinguished(serve: Serve, behaviour: object) -> None:
    async with serve(behaviour) as client, sender(client, "port-poor", funded=False) as own:
        assert await own.outcome(0) is SendOutcome.NO_FUNDS


async def test_a_revert_is_distinguished_from_a_bad_node(serve: Serve) -> None:
    async with serve(MEMPOOL) as client, sender(client, "port-revert") as own:
        reverts = "0x" + "ee" * 20
        client.chain.rpc.call("anvil_setCode", reverts, "0x60006000fd")
        fine, refused = await own.node.estimate(
            [Call(own.wallet.address, b"", 0), Call(reverts, b"anything", 0)]
        )
        assert fine.gas is not None
        assert fine.gas >= 21_000
        assert refused.gas is None
        assert "revert" in refused.problem
        client.proxy.behaviour = client.proxy.behaviour.changed({"compute_units_probability": 1.0})
        with pytest.raises(ChainUnreachable, match="compute units"):
            await own.node.estimate([Call(reverts, b"anything", 0)])
