"""The contract of `WalletChain`, over a real node and over memory."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from workerpool_chain_adapter.adapters.hub_chain import HubChain
from workerpool_chain_adapter.app.ports import WalletChain
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.planning import Plan
from workerpool_chain_adapter.domain.sending import SendOutcome
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Version
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import TaskId

from services.chain_adapter.tests.doubles.chain import MemoryChain

GAS = 300_000
REVERTING = abi.HUB.encode("initialize", bytes([9] * 32), 0)
"""An initialization for a deal that does not exist."""


@dataclass
class World:
    """One implementation, and what a test does to its node."""

    chain: WalletChain
    mine: Callable[[], object]
    forget_pool: Callable[[], object]
    first_nonce: int = 0
    price: int = 0

    def transaction(self, offset: int = 0, *, percent: int = 100, data: bytes = b"") -> JournaledTransaction:
        """Sign a transaction `offset` nonces after the first, at a share of the network's gas price."""
        nonce = self.first_nonce + offset
        version = self.chain.sign(nonce, GAS, self.price * percent // 100, data)
        return JournaledTransaction(nonce, (), data, GAS, (version,), 0.0, 0)

    async def send(self, *transactions: JournaledTransaction) -> list[SendOutcome]:
        return [each.outcome for each in await self.chain.send([one.latest for one in transactions])]

    async def counts(self) -> tuple[int, int]:
        """Return the counts from the first nonce."""
        mined, pending = await self.chain.counts()
        return mined - self.first_nonce, pending - self.first_nonce


@pytest.fixture(params=["node", "memory"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        memory = MemoryChain()
        memory.reverting.add(REVERTING)
        world = World(memory, memory.mine, memory.forget_pool)
        await _start(world)
        yield world
        return
    node: PocoChain = request.getfixturevalue("own_chain")
    wallet = node.account("poolOwner")  # funded by transactions, so before mining stops
    node.chain.stop_mining()
    async with HubClient(node.url, node.hub, chain_id=node.chain_id) as hub:
        chain = HubChain(hub, wallet)
        await chain.prepare()
        world = World(chain, node.chain.mine, lambda: node.chain.rpc.call("anvil_dropAllTransactions"))
        await _start(world)
        yield world


async def _start(world: World) -> None:
    world.first_nonce, pending = await world.chain.counts()
    assert pending == world.first_nonce
    world.price = 2 * await world.chain.network_price()


async def test_a_transaction_is_pending_until_a_block_contains_it(world: World) -> None:
    sent = world.transaction()
    assert await world.send(sent) == [SendOutcome.ACCEPTED]
    assert await world.counts() == (0, 1)
    assert await world.chain.knows([sent.latest.hash, "0x" + "12" * 32]) == [True, False]
    assert await world.chain.receipts([sent]) == {}
    world.mine()
    assert await world.counts() == (1, 1)
    assert await world.chain.knows([sent.latest.hash]) == [True]
    receipt = (await world.chain.receipts([sent]))[sent.nonce]
    assert (receipt.hash, receipt.succeeded) == (sent.latest.hash, True)
    assert receipt.block_number > 0
    assert receipt.gas_used > 0


async def test_sending_again_is_harmless(world: World) -> None:
    sent = world.transaction()
    assert await world.send(sent, sent) == [SendOutcome.ACCEPTED] * 2
    assert await world.counts() == (0, 1)


async def test_a_used_nonce_is_refused(world: World) -> None:
    await world.send(world.transaction())
    world.mine()
    assert await world.send(world.transaction(percent=200)) == [SendOutcome.NONCE_USED]


async def test_a_replacement_must_pay_more_and_any_version_has_the_receipt(world: World) -> None:
    first = world.transaction()
    await world.send(first)
    assert await world.send(world.transaction(data=REVERTING)) == [SendOutcome.UNDERPRICED]
    version: Version = world.chain.sign(first.nonce, GAS, world.price * 115 // 100, b"")
    replaced = first.replaced_by(version, 1)
    assert await world.send(replaced) == [SendOutcome.ACCEPTED]
    assert await world.counts() == (0, 1)
    world.mine()
    assert (await world.chain.receipts([replaced]))[first.nonce].hash == version.hash


async def test_a_transaction_above_a_gap_waits(world: World) -> None:
    later = world.transaction(1)
    await world.send(later)
    world.mine()
    assert await world.counts() == (0, 0)
    await world.send(world.transaction(0))
    assert await world.counts() == (0, 2)
    world.mine()
    assert await world.counts() == (2, 2)


async def test_a_reverted_transaction_has_a_receipt_that_says_so(world: World) -> None:
    reverting = world.transaction(data=REVERTING)
    await world.send(reverting)
    world.mine()
    assert not (await world.chain.receipts([reverting]))[reverting.nonce].succeeded


async def test_a_node_that_lost_its_pool_accepts_the_same_bytes_again(world: World) -> None:
    sent = world.transaction()
    await world.send(sent)
    world.forget_pool()
    assert await world.chain.knows([sent.latest.hash]) == [False]
    assert await world.counts() == (0, 0)
    assert await world.send(sent) == [SendOutcome.ACCEPTED]


async def test_nothing_to_ask_is_answered_with_nothing(world: World) -> None:
    assert await world.chain.receipts([]) == {}
    assert await world.chain.knows([]) == []
    assert await world.chain.send([]) == []


async def test_the_wallet_has_an_address_and_coins(world: World) -> None:
    assert len(world.chain.address) == 42
    assert await world.chain.balance() > 0


@pytest.fixture(params=["node", "memory"])
async def unreachable(request: pytest.FixtureRequest) -> AsyncIterator[WalletChain]:
    """Return a chain whose node does not answer."""
    if request.param == "memory":
        memory = MemoryChain()
        memory.outage = ChainUnreachable("no node")
        yield memory
        return
    hub = HubClient(f"http://127.0.0.1:{free_port()}", "0x" + "11" * 20, chain_id=1, attempts=1)
    yield HubChain(hub, Wallet.create())
    await hub.close()


async def test_every_request_to_an_unreachable_node_raises(unreachable: WalletChain) -> None:
    version = Version("0x" + "12" * 32, b"raw", 1)
    transaction = JournaledTransaction(0, (), b"", 1, (version,), 0.0, 0)
    claim = Command(CommandKey(TaskId("0x" + "12" * 32), CommandKind.CLAIM), 0, 0)
    for request in (
        unreachable.counts(),
        unreachable.balance(),
        unreachable.network_price(),
        unreachable.send([version]),
        unreachable.knows([version.hash]),
        unreachable.receipts([transaction]),
        unreachable.snapshots([claim]),
        unreachable.estimate([Plan(CommandKind.CLAIM, (claim,))]),
    ):
        with pytest.raises(ChainUnreachable):
            await request
