"""Typed reads of the PoCo hub: deals, tasks, contributions, accounts, blocks and logs."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from workerpool_poco.chain.answers import read_bytes, read_quantity
from workerpool_poco.chain.history import ChainHistory
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.errors import (
    CallReverted,
    ChainUnreachable,
    EmptyAnswer,
    HubNotFound,
    MalformedAnswer,
    PocoError,
    RpcError,
    WrongChain,
)
from workerpool_poco.protocol.contracts import abi, views
from workerpool_poco.protocol.contracts.interface import Function
from workerpool_poco.protocol.deadlines import CONTRIBUTION_DEADLINE_RATIO
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId, address, bytes32, to_hex
from workerpool_poco.protocol.model import (
    Account,
    App,
    Category,
    ChainTask,
    Contribution,
    Dataset,
    Deal,
    Workerpool,
)
from workerpool_poco.protocol.orders import DatasetOrder, order_domain

_WEI_OF_NRLC = 10**9


class HubClient(ChainHistory):
    """Reads of one hub through one node. Use it as an async context manager, or call `connect` and `close`."""

    def __init__(
        self,
        node_url: str,
        hub_address: Address,
        *,
        chain_id: int | None = None,
        timeout: float = 10.0,
        attempts: int = 4,
        traffic: Traffic | None = None,
    ) -> None:
        """Create it without connecting.

        Args:
            node_url: HTTP(S) address of the node.
            hub_address: address of the hub (a diamond contract).
            chain_id: the expected chain; None accepts any.
            timeout: time limit of one request, in seconds.
            attempts: attempts per request while the node does not answer.
            traffic: the calls of this process to the node, shared by its clients.
        """
        super().__init__(JsonRpc(node_url, timeout=timeout, attempts=attempts, traffic=traffic), hub_address)
        self._expected_chain = chain_id
        self._chain_id: int | None = None
        self._categories: dict[int, Category] = {}

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self) -> None:
        """Check that the node answers, serves the expected chain and knows the hub.

        Raises `ChainUnreachable`, `WrongChain` or `HubNotFound`.
        """
        chain_id = read_quantity("eth_chainId", await self.rpc.call("eth_chainId"))
        if self._expected_chain not in (None, chain_id):
            raise WrongChain(f"{self.rpc.node_url} serves chain {chain_id}, not {self._expected_chain}")
        try:
            await self.domain()
        except (CallReverted, MalformedAnswer) as cause:
            raise HubNotFound(f"no PoCo hub at {self.hub_address} on chain {chain_id}") from cause
        self._chain_id = chain_id
        self.rpc.expect_chain(chain_id)

    async def close(self) -> None:
        """Close the connections to the node."""
        await self.rpc.close()

    @property
    def chain_id(self) -> int:
        """The chain's id; raises `ChainUnreachable` before `connect`."""
        if self._chain_id is None:
            raise ChainUnreachable("the hub client is not connected yet")
        return self._chain_id

    @property
    def order_domain(self) -> Eip712Domain:
        """The EIP-712 domain of orders for this hub."""
        return order_domain(self.chain_id, self.hub_address)

    # --- calls ---------------------------------------------------------------

    async def call(self, function: Function, *arguments: Any, to: Address | None = None) -> tuple[Any, ...]:
        """Call a view of the hub, or of the contract `to`, at the latest block."""
        try:
            answer = await self.rpc.call("eth_call", self._call_fields(function, arguments, to), "latest")
        except RpcError as error:
            raise _call_error(function, error) from error
        return _decoded(function, answer)

    async def call_many(
        self, function: Function, arguments: Iterable[Sequence[Any]], *, block: int | None = None
    ) -> list[tuple[Any, ...]]:
        """Call one view of the hub with many lists of arguments, in as few round trips as possible.

        The state is that of the latest block or of a given one; a node without that block causes `RpcError` instead of
        an older answer.
        """
        when = "latest" if block is None else hex(block)
        return await self._call_each([(function, item) for item in arguments], when)

    async def _call_each(
        self, wanted: Sequence[tuple[Function, Sequence[Any]]], when: str = "latest"
    ) -> list[tuple[Any, ...]]:
        calls = [("eth_call", (self._call_fields(function, item, None), when)) for function, item in wanted]
        decoded = []
        for (function, _), answer in zip(wanted, await self.rpc.batch(calls), strict=True):
            if isinstance(answer, RpcError):
                raise _call_error(function, answer) from answer
            decoded.append(_decoded(function, answer))
        return decoded

    def _call_fields(
        self, function: Function, arguments: Sequence[Any], to: Address | None
    ) -> dict[str, str]:
        # A few nodes refuse a call without a sender.
        data = to_hex(function.encode(*arguments))
        return {"from": ZERO_ADDRESS, "to": to or self.hub_address, "data": data}

    # --- deals, tasks, contributions -----------------------------------------

    async def domain(self) -> tuple[str, str, int, Address]:
        """Return the hub's EIP-712 domain: name, version, chain id, contract."""
        name, version, chain_id, contract = (await self.call(abi.HUB["domain"]))[0]
        return name, version, chain_id, address(contract)

    async def view_deal(self, deal_id: DealId) -> Deal:
        """Read a deal; `exists` is false for an unknown id."""
        return views.deal(deal_id, (await self.call(abi.HUB["viewDeal"], bytes32(deal_id)))[0])

    async def view_deals(self, deal_ids: Sequence[DealId]) -> list[Deal]:
        """Read many deals in one batch, in order."""
        answers = await self.call_many(abi.HUB["viewDeal"], ((bytes32(item),) for item in deal_ids))
        return [views.deal(deal_id, answer[0]) for deal_id, answer in zip(deal_ids, answers, strict=True)]

    async def view_task(self, task_id: TaskId) -> ChainTask:
        """Read a task; its status is UNSET before `initialize`."""
        return views.task(task_id, (await self.call(abi.HUB["viewTask"], bytes32(task_id)))[0])

    async def view_tasks(self, task_ids: Sequence[TaskId], *, block: int | None = None) -> list[ChainTask]:
        """Read many tasks in one batch, in order, at the latest block or a given one."""
        arguments = ((bytes32(item),) for item in task_ids)
        answers = await self.call_many(abi.HUB["viewTask"], arguments, block=block)
        return [views.task(task_id, answer[0]) for task_id, answer in zip(task_ids, answers, strict=True)]

    async def view_task_and_account(self, task_id: TaskId, owner: Address) -> tuple[ChainTask, Account]:
        """Read a task and an owner's account in the hub in one round trip."""
        wanted = [(abi.HUB["viewTask"], (bytes32(task_id),)), (abi.HUB["viewAccount"], (owner,))]
        (task, *_), (account, *_) = await self._call_each(wanted)
        return views.task(task_id, task), Account(*account)

    async def view_task_and_contribution(
        self, task_id: TaskId, worker: Address
    ) -> tuple[ChainTask, Contribution]:
        """Read a task and a worker's contribution to it in one round trip."""
        of_task = bytes32(task_id)
        wanted = [(abi.HUB["viewTask"], (of_task,)), (abi.HUB["viewContribution"], (of_task, worker))]
        (task, *_), (contribution, *_) = await self._call_each(wanted)
        return views.task(task_id, task), views.contribution(contribution)

    async def view_contribution(self, task_id: TaskId, worker: Address) -> Contribution:
        """Read a worker's contribution; its status is UNSET without one."""
        return views.contribution((await self.call(abi.HUB["viewContribution"], bytes32(task_id), worker))[0])

    async def view_contributions(
        self, pairs: Sequence[tuple[TaskId, Address]], *, block: int | None = None
    ) -> list[Contribution]:
        """Read many contributions, each given as (task id, worker), in one go, in order; `block` as in `view_tasks`."""
        arguments = ((bytes32(task_id), worker) for task_id, worker in pairs)
        answers = await self.call_many(abi.HUB["viewContribution"], arguments, block=block)
        return [views.contribution(answer[0]) for answer in answers]

    async def view_category(self, category_id: int) -> Category:
        """Read a category (kept in memory: categories never change). Raises `CallReverted`."""
        known = self._categories.get(category_id)
        if known is None:
            name, description, seconds = (await self.call(abi.HUB["viewCategory"], category_id))[0]
            known = self._categories[category_id] = Category(category_id, name, description, seconds)
        return known

    # --- registered resources ------------------------------------------------

    async def view_app(self, app: Address) -> App:
        """Read a registered application; raises `CallReverted` for an unknown address."""
        return views.app(app, (await self.call(abi.HUB["viewApp"], app))[0])

    async def view_dataset(self, dataset: Address) -> Dataset:
        """Read a registered dataset; raises `CallReverted` for an unknown address."""
        return views.dataset(dataset, (await self.call(abi.HUB["viewDataset"], dataset))[0])

    async def view_workerpool(self, workerpool: Address) -> Workerpool:
        """Read a registered workerpool; raises `CallReverted` for an unknown address."""
        return views.workerpool(workerpool, (await self.call(abi.HUB["viewWorkerpool"], workerpool))[0])

    async def contract_owner(self, contract: Address) -> Address:
        """Read the owner of an app, a dataset or any other contract with `owner()`.

        Raises `CallReverted` or `EmptyAnswer` for an address without that method.
        """
        return address((await self.call(abi.WORKERPOOL["owner"], to=contract))[0])

    async def dataset_fits_deal(self, order: DatasetOrder, deal_id: DealId) -> bool:
        """Return whether a signed dataset order may be used in a deal without dataset, as in bulk processing."""
        try:
            await self.call(abi.HUB["assertDatasetDealCompatibility"], order.calldata(), bytes32(deal_id))
        except CallReverted:
            return False
        return True

    async def workerpool_owner(self, workerpool: Address) -> Address:
        """Read the owner of a workerpool from its own contract."""
        return address((await self.call(abi.WORKERPOOL["owner"], to=workerpool))[0])

    async def workerpool_registry(self) -> Address:
        """Read the address of the registry where workerpools are registered."""
        return address((await self.call(abi.HUB["workerpoolregistry"]))[0])

    async def predict_workerpool(self, owner: Address, description: str) -> tuple[Address, bool]:
        """Return the address of the workerpool of an owner with a description, and whether it is registered.

        The registry derives the address from both, so that a repeated registration cannot make a second pool.
        """
        registry = await self.workerpool_registry()
        (predicted,) = await self.call(
            abi.WORKERPOOL_REGISTRY["predictWorkerpool"], owner, description, to=registry
        )
        (registered,) = await self.call(abi.WORKERPOOL_REGISTRY["isRegistered"], predicted, to=registry)
        return address(predicted), bool(registered)

    # --- accounts and constants ----------------------------------------------

    async def rlc_token(self) -> Address:
        """Read the address of the RLC token; the zero address on a chain whose coin is RLC."""
        try:
            return address((await self.call(abi.HUB["token"]))[0])
        except (CallReverted, EmptyAnswer):
            return ZERO_ADDRESS

    async def rlc_balance(self, owner: Address) -> int:
        """Read the nRLC in a wallet: tokens, or coins of a chain whose coin is RLC. The stake is not counted."""
        token = await self.rlc_token()
        if token == ZERO_ADDRESS:
            (coins,) = await self.balances([owner])
            return coins // _WEI_OF_NRLC
        return int((await self.call(abi.RLC["balanceOf"], owner, to=token))[0])

    async def workerpool_stake_ratio(self) -> int:
        """Read the percent of a task's price that the pool's owner locks for it; 30 in the published contracts."""
        return int((await self.call(abi.HUB["workerpool_stake_ratio"]))[0])

    async def view_account(self, owner: Address) -> Account:
        """Read an owner's free and locked nRLC in the hub."""
        return Account(*(await self.call(abi.HUB["viewAccount"], owner))[0])

    async def view_accounts(self, owners: Sequence[Address]) -> list[Account]:
        """Read the free and locked nRLC of many owners in one batch, in order."""
        answers = await self.call_many(abi.HUB["viewAccount"], ((owner,) for owner in owners))
        return [Account(*answer[0]) for answer in answers]

    async def view_score(self, worker: Address) -> int:
        """Read a worker's score."""
        return int((await self.call(abi.HUB["viewScore"], worker))[0])

    async def view_scores(self, workers: Sequence[Address]) -> list[int]:
        """Read the scores of many workers in one batch, in order."""
        answers = await self.call_many(abi.HUB["viewScore"], ((worker,) for worker in workers))
        return [answer[0] for answer in answers]

    async def consumed_volume(self, order_hash: bytes) -> int:
        """Read the consumed volume of an order; a cancelled order is consumed completely."""
        return int((await self.call(abi.HUB["viewConsumed"], order_hash))[0])

    async def contribution_deadline_ratio(self) -> int:
        """Read the ratio of the contribution deadline; 7 for a hub without that view."""
        try:
            return int((await self.call(abi.HUB["contribution_deadline_ratio"]))[0])
        except (CallReverted, MalformedAnswer):
            return CONTRIBUTION_DEADLINE_RATIO

    async def tee_broker(self) -> Address:
        """Read the address that signs authorizations of enclave tasks instead of the pool's owner, or zero."""
        return address((await self.call(abi.HUB["teebroker"]))[0])

    async def callback_gas(self) -> int:
        """Read the gas that the hub grants a callback contract."""
        return int((await self.call(abi.HUB["callbackgas"]))[0])

    async def gas_price(self) -> int:
        """Read the price of a unit of gas that the node suggests today, in wei."""
        return read_quantity("eth_gasPrice", await self.rpc.call("eth_gasPrice"))

    async def balances(self, owners: Sequence[Address]) -> list[int]:
        """Read the balances of many accounts in one batch, in wei, in order."""
        answers = await self.rpc.batch_results([("eth_getBalance", (owner, "latest")) for owner in owners])
        return [read_quantity("eth_getBalance", answer) for answer in answers]


def _decoded(function: Function, answer: Any) -> tuple[Any, ...]:
    return function.decode(read_bytes(function.name, answer))


def _call_error(function: Function, error: RpcError) -> PocoError:
    reverted = error.code == 3 or "revert" in error.message.lower()
    return CallReverted(f"{function.name} reverted: {error.message}") if reverted else error
