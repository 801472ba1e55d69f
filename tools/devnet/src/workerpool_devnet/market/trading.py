"""The buying and selling side of the devnet: resources, orders, deals.

Everything blocks until it is mined; from asyncio call it through `asyncio.to_thread`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_utils.abi import event_signature_to_log_topic
from eth_utils.address import to_checksum_address
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import ZERO_ADDRESS, ZERO_BYTES32, Address, task_id
from workerpool_poco.protocol.orders import (
    NO_DATASET,
    AppOrder,
    RequestOrder,
    WorkerpoolOrder,
    order_domain,
)

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.chain.transactions import Outbox, Receipt, calldata
from workerpool_devnet.market import artifacts
from workerpool_devnet.market.deployment import Contracts

_ENTRY_CREATED = "0x" + event_signature_to_log_topic("Transfer(address,address,uint256)").hex()
_ORDERS_MATCHED = (
    "0x"
    + event_signature_to_log_topic("OrdersMatched(bytes32,bytes32,bytes32,bytes32,bytes32,uint256)").hex()
)


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What to buy: `volume` tasks of one app on one pool. Prices in nRLC per task."""

    requester: Wallet
    app: Address
    app_owner: Wallet
    workerpool: Address
    pool_owner: Wallet
    params: DealParams = field(default_factory=DealParams)
    volume: int = 1
    trust: int = 1
    category: int = 0
    tag: bytes = ZERO_BYTES32
    app_price: int = 0
    workerpool_price: int = 0
    beneficiary: Address | None = None
    """None = the requester."""
    callback: Address = ZERO_ADDRESS


@dataclass(frozen=True)
class Deal:
    """A deal as matched: its id, the number of tasks, and the block that holds it."""

    deal_id: bytes
    volume: int
    block_number: int

    @property
    def task_ids(self) -> list[bytes]:
        """Ids of the deal's tasks; every request order here is new, so their indexes start at 0."""
        return [task_id(self.deal_id, index) for index in range(self.volume)]


class Market:
    """Creates resources on the registries and matches orders on the hub."""

    def __init__(self, rpc: JsonRpc, contracts: Contracts) -> None:
        self._rpc = rpc
        self._contracts = contracts
        self._domain = order_domain(int(rpc.call("eth_chainId"), 16), contracts.hub)

    def create_workerpool(self, owner: Wallet, description: str) -> Address:
        """Create a workerpool and return its address; `description` must be new for this owner."""
        abi = artifacts.poco("WorkerpoolRegistry").abi
        data = calldata(abi, "createWorkerpool", owner.address, description)
        return self._create_entry(
            owner, self._contracts.workerpool_registry, data, f"workerpool {description}"
        )

    def create_app(
        self,
        owner: Wallet,
        name: str,
        image: str,
        *,
        checksum: bytes = ZERO_BYTES32,
        enclave: bytes = b"",
    ) -> Address:
        """Create an app of type DOCKER and return its address.

        `image` is the image's name as `docker pull` takes it, `checksum` its 32-byte digest and
        `enclave` the description of its enclave, if any. The combination must be new for this owner.
        """
        abi = artifacts.poco("AppRegistry").abi
        data = calldata(abi, "createApp", owner.address, name, "DOCKER", image.encode(), checksum, enclave)
        return self._create_entry(owner, self._contracts.app_registry, data, f"app {name}")

    def buy(self, *purchases: Purchase) -> list[Deal]:
        """Sign the orders of each purchase with their owners' keys and match them; one deal each.

        Raises `TransactionError` with the hub's reason when a match is refused.
        """
        outbox, abi = Outbox(self._rpc), artifacts.poco("IexecInterfaceToken").abi
        for purchase in purchases:
            orders = self._signed_orders(purchase)
            data = calldata(abi, "matchOrders", *orders)
            outbox.call(purchase.requester, "matchOrders", self._contracts.hub, data, gas=3_000_000)
        return [_deal(receipt) for receipt in outbox.flush()]

    def _signed_orders(self, purchase: Purchase) -> tuple[tuple[object, ...], ...]:
        app = AppOrder(
            app=purchase.app, appprice=purchase.app_price, volume=purchase.volume, tag=purchase.tag
        )
        workerpool = WorkerpoolOrder(
            workerpool=purchase.workerpool,
            workerpoolprice=purchase.workerpool_price,
            volume=purchase.volume,
            tag=purchase.tag,
            category=purchase.category,
            trust=purchase.trust,
        )
        request = RequestOrder(
            app=purchase.app,
            appmaxprice=purchase.app_price,
            workerpool=purchase.workerpool,
            workerpoolmaxprice=purchase.workerpool_price,
            requester=purchase.requester.address,
            volume=purchase.volume,
            tag=purchase.tag,
            category=purchase.category,
            trust=purchase.trust,
            beneficiary=purchase.beneficiary or purchase.requester.address,
            callback=purchase.callback,
            params=purchase.params.encode(),
        )
        return (
            app.signed(purchase.app_owner, self._domain).calldata(),
            NO_DATASET.calldata(),
            workerpool.signed(purchase.pool_owner, self._domain).calldata(),
            request.signed(purchase.requester, self._domain).calldata(),
        )

    def _create_entry(self, owner: Wallet, registry: str, data: bytes, label: str) -> Address:
        outbox = Outbox(self._rpc)
        outbox.call(owner, f"creation of {label}", registry, data)
        (receipt,) = outbox.flush()
        # A registry is an ERC-721 token contract; the id of the new token is the new resource's address.
        (minted,) = (log for log in receipt["logs"] if log["topics"][0] == _ENTRY_CREATED)
        return to_checksum_address(minted["topics"][3][-40:])


def _deal(receipt: Receipt) -> Deal:
    (matched,) = (log for log in receipt["logs"] if log["topics"][0] == _ORDERS_MATCHED)
    words = bytes.fromhex(matched["data"][2:])
    return Deal(words[:32], int.from_bytes(words[160:192], "big"), int(receipt["blockNumber"], 16))
