"""Bags of tasks, one deal each, matched and initialised on chain before the scheduler starts."""

from __future__ import annotations

from dataclasses import dataclass

from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.accounts import GAS_BALANCE
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import DealId, bytes32, deal_id_of, task_id_of
from workerpool_poco.protocol.orders import (
    NO_DATASET,
    AppOrder,
    RequestOrder,
    WorkerpoolOrder,
    order_domain,
)

CATEGORY = 3
"""Category L: its contribution deadline is 21 hours away."""
BAG_SIZE = 2_000
"""Tasks of one deal. Their initialisation fills about half of one block."""
_PER_TRANSACTION = 50
"""Initialisations in one transaction, below the limit of 16.7 million gas (EIP-7825)."""
_TRANSACTION_GAS = 16_000_000


@dataclass(frozen=True)
class _Bag:
    deal: DealId
    volume: int
    transactions: list[tuple[str, bytes]]


def buy_ready_tasks(net: Devnet, count: int) -> list[str]:
    """Buy at least `count` trust-1 tasks at no price and initialise all of them; return their ids.

    One block holds the match and the initialisations of a bag, so the scheduler finds INITIALIZED tasks and sends
    nothing. Afterwards the chain mines one block per second.
    """
    rpc, pool_owner, app_owner = net.chain.rpc, net.accounts["poolOwner"], net.accounts["requester"]
    app = net.market.create_app(app_owner, "no-op", "example/no-op:1")
    # The default mode mines each transaction in its own block.
    net.chain.stop_mining()
    ids: list[str] = []
    while len(ids) < count:
        bag = _bag(net, app, app_owner, min(BAG_SIZE, count - len(ids)))
        outbox = Outbox(rpc)
        for label, data in bag.transactions:
            outbox.call(pool_owner, label, net.contracts.hub, data, gas=_TRANSACTION_GAS)
        outbox.flush(in_one_block=True, timeout=120)
        ids += [task_id_of(bag.deal, index) for index in range(bag.volume)]
    net.chain.mine_every(1)
    return ids


def _bag(net: Devnet, app: str, app_owner: Wallet, volume: int) -> _Bag:
    domain = order_domain(net.chain.chain_id, net.contracts.hub)
    requester = net.accounts["requester"]
    pool_owner = net.accounts["poolOwner"]
    request = RequestOrder(
        app=app,
        workerpool=net.workerpool,
        requester=requester.address,
        volume=volume,
        category=CATEGORY,
        trust=1,
        beneficiary=requester.address,
        params=DealParams(args="no-op").encode(),
    ).signed(requester, domain)
    orders = (
        AppOrder(app=app, volume=volume).signed(app_owner, domain).calldata(),
        NO_DATASET.calldata(),
        WorkerpoolOrder(workerpool=net.workerpool, volume=volume, category=CATEGORY, trust=1)
        .signed(pool_owner, domain)
        .calldata(),
        request.calldata(),
    )
    deal = deal_id_of(request.hash(domain), 0)
    transactions = [("matchOrders", abi.HUB.encode("matchOrders", *orders))]
    for first in range(0, volume, _PER_TRANSACTION):
        indexes = list(range(first, min(first + _PER_TRANSACTION, volume)))
        data = abi.HUB.encode("initializeArray", [bytes32(deal)] * len(indexes), indexes)
        transactions.append((f"initializeArray from {first}", data))
    return _Bag(deal, volume, transactions)


def worker_key(number: int) -> bytes:
    """Return the private key of a simulated worker, which owns only gas on the chain of the bench."""
    return keccak(f"workerpool bench worker {number}".encode())


def give_gas(net: Devnet, workers: int) -> None:
    """Give the first `workers` simulated workers gas for contributions."""
    wallets = [Wallet.from_key(worker_key(number)).address for number in range(workers)]
    net.chain.rpc.batch([("anvil_setBalance", [wallet, hex(GAS_BALANCE)]) for wallet in wallets])
