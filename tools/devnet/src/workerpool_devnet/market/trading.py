"""The market of the devnet: resources, orders, deals.

Every call blocks until its transactions are mined; call it from asyncio through `asyncio.to_thread`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import (
    ZERO_ADDRESS,
    ZERO_BYTES32,
    Address,
    DealId,
    TaskId,
    parse_deal_id,
    task_id_of,
)
from workerpool_poco.protocol.orders import (
    NO_DATASET,
    AppOrder,
    DatasetOrder,
    RequestOrder,
    WorkerpoolOrder,
    order_domain,
)

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.chain.transactions import Outbox, Receipt
from workerpool_devnet.market import artifacts
from workerpool_devnet.market.deployment import Contracts

if TYPE_CHECKING:
    from web3.contract import Contract
    from web3.contract.contract import ContractEvent, ContractFunction
    from web3.types import EventData

_MATCH_GAS = 3_000_000
_GAS_PER_BYTE = 800
_MAX_GAS = 16_700_000
"""Gas that one transaction may use (EIP-7825)."""


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """An order for `volume` tasks of one app on one pool. Prices in nRLC per task."""

    requester: Wallet
    app: Address
    app_owner: Wallet
    workerpool: Address
    pool_owner: Wallet
    params: DealParams | str = field(default_factory=DealParams)
    """A text is sent unchanged, even if malformed."""
    dataset: Address = ZERO_ADDRESS
    """A dataset of the app's owner; zero: none."""
    volume: int = 1
    trust: int = 1
    category: int = 0
    tag: bytes = ZERO_BYTES32
    app_price: int = 0
    workerpool_price: int = 0
    beneficiary: Address | None = None
    """None: the requester."""
    callback: Address = ZERO_ADDRESS


@dataclass(frozen=True)
class Deal:
    """A matched deal: its id, the number of tasks, and its block."""

    deal_id: DealId
    volume: int
    block_number: int

    @property
    def task_ids(self) -> list[TaskId]:
        """Ids of the tasks of the deal; every request order is new, so the indexes start at 0."""
        return [task_id_of(self.deal_id, index) for index in range(self.volume)]


class Market:
    """Creates resources on the registries and matches orders on the hub."""

    def __init__(self, rpc: JsonRpc, contracts: Contracts) -> None:
        self._rpc = rpc
        self._domain = order_domain(int(rpc.call("eth_chainId"), 16), contracts.hub)
        self.hub = contracts.interface.at(rpc.web3, contracts.hub)
        """The PoCo hub, for calls and events without a method here."""
        self._apps = artifacts.poco("AppRegistry").at(rpc.web3, contracts.app_registry)
        self._datasets = artifacts.poco("DatasetRegistry").at(rpc.web3, contracts.dataset_registry)
        self._workerpools = artifacts.poco("WorkerpoolRegistry").at(rpc.web3, contracts.workerpool_registry)

    def create_workerpool(self, owner: Wallet, description: str) -> Address:
        """Create a workerpool and return its address; `description` must be new for this owner."""
        creation = self._workerpools.functions.createWorkerpool(owner.address, description)
        return self._create_entry(owner, self._workerpools, creation, f"workerpool {description}")

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

        `image` is the name for `docker pull`, `checksum` the 32-byte digest of the image, `enclave` the
        description of its enclave (empty without one). The combination must be new for this owner.
        """
        creation = self._apps.functions.createApp(
            owner.address, name, "DOCKER", image.encode(), checksum, enclave
        )
        return self._create_entry(owner, self._apps, creation, f"app {name}")

    def create_dataset(
        self, owner: Wallet, name: str, uri: str, *, checksum: bytes = ZERO_BYTES32
    ) -> Address:
        """Create a dataset and return its address; `checksum` is the SHA-256 of the file, zero without one."""
        creation = self._datasets.functions.createDataset(owner.address, name, uri.encode(), checksum)
        return self._create_entry(owner, self._datasets, creation, f"dataset {name}")

    def buy(self, *purchases: Purchase) -> list[Deal]:
        """Sign the orders of each purchase with the keys of their owners and match them: one deal each.

        Raises `TransactionError` with the reason of the hub when it refuses a match.
        """
        outbox = Outbox(self._rpc)
        for purchase in purchases:
            match = self.hub.functions.matchOrders(*self._signed_orders(purchase))
            outbox.invoke(purchase.requester, "matchOrders", match, gas=_match_gas(purchase))
        return [self._deal(receipt) for receipt in outbox.flush()]

    def match(
        self,
        sender: Wallet,
        app: AppOrder,
        dataset: DatasetOrder,
        workerpool: WorkerpoolOrder,
        request: RequestOrder,
    ) -> Deal:
        """Match signed orders, such as one of the order book; `NO_DATASET` stands for none.

        Raises `TransactionError` with the reason of the hub when it refuses the match.
        """
        outbox = Outbox(self._rpc)
        orders = (order.calldata() for order in (app, dataset, workerpool, request))
        outbox.invoke(sender, "matchOrders", self.hub.functions.matchOrders(*orders), gas=_MATCH_GAS)
        (receipt,) = outbox.flush()
        return self._deal(receipt)

    def _signed_orders(self, purchase: Purchase) -> tuple[tuple[object, ...], ...]:
        app = AppOrder(
            app=purchase.app, appprice=purchase.app_price, volume=purchase.volume, tag=purchase.tag
        )
        dataset = NO_DATASET.calldata()
        if purchase.dataset != ZERO_ADDRESS:
            offer = DatasetOrder(dataset=purchase.dataset, volume=purchase.volume, tag=purchase.tag)
            dataset = offer.signed(purchase.app_owner, self._domain).calldata()
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
            dataset=purchase.dataset,
            workerpool=purchase.workerpool,
            workerpoolmaxprice=purchase.workerpool_price,
            requester=purchase.requester.address,
            volume=purchase.volume,
            tag=purchase.tag,
            category=purchase.category,
            trust=purchase.trust,
            beneficiary=purchase.beneficiary or purchase.requester.address,
            callback=purchase.callback,
            params=_text(purchase.params),
        )
        return (
            app.signed(purchase.app_owner, self._domain).calldata(),
            dataset,
            workerpool.signed(purchase.pool_owner, self._domain).calldata(),
            request.signed(purchase.requester, self._domain).calldata(),
        )

    def _create_entry(
        self, owner: Wallet, registry: Contract, creation: ContractFunction, label: str
    ) -> Address:
        outbox = Outbox(self._rpc)
        outbox.invoke(owner, f"creation of {label}", creation)
        (receipt,) = outbox.flush()
        # A registry is an ERC-721 token contract: the id of the new token is the address of the new resource.
        (minted,) = self._events(receipt, registry.events.Transfer())
        return self._rpc.web3.to_checksum_address(minted["args"]["tokenId"].to_bytes(20, "big"))

    def _deal(self, receipt: Receipt) -> Deal:
        (matched,) = self._events(receipt, self.hub.events.OrdersMatched())
        return Deal(
            parse_deal_id(matched["args"]["dealid"]), matched["args"]["volume"], matched["blockNumber"]
        )

    def _events(self, receipt: Receipt, event: ContractEvent) -> Iterable[EventData]:
        from web3.logs import DISCARD

        mined = self._rpc.web3.eth.get_transaction_receipt(receipt["transactionHash"])
        found: Iterable[EventData] = event.process_receipt(mined, errors=DISCARD)
        return found


def _text(params: DealParams | str) -> str:
    return params if isinstance(params, str) else params.encode()


def _match_gas(purchase: Purchase) -> int:
    """Return enough gas for a match, which stores the params on chain."""
    return min(_MATCH_GAS + _GAS_PER_BYTE * len(_text(purchase.params).encode()), _MAX_GAS)
