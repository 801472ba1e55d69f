"""Typed reads of the PoCo hub: deals, tasks, contributions, accounts, blocks and logs."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from workerpool_poco.chain.history import ChainHistory
from workerpool_poco.chain.rpc import JsonRpc, malformed, quantity
from workerpool_poco.errors import (
    CallReverted,
    ChainUnreachable,
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
from workerpool_poco.protocol.ids import Address, DealId, TaskId, address, bytes32, from_hex, to_hex
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
from workerpool_poco.protocol.orders import order_domain


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
    ) -> None:
        """Prepare, without connecting.

        Args:
            node_url: HTTP(S) address of the node.
            hub_address: address of the hub (a diamond contract).
            chain_id: the expected chain; None accepts any.
            timeout: time limit of one request, in seconds.
            attempts: attempts per request while the node does not answer.
        """
        super().__init__(JsonRpc(node_url, timeout=timeout, attempts=attempts), hub_address)
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
        chain_id = quantity("eth_chainId", await self.rpc.call("eth_chainId"))
        if self._expected_chain not in (None, chain_id):
            raise WrongChain(f"the node serves chain {chain_id}, not {self._expected_chain}")
        try:
            await self.domain()
        except (CallReverted, MalformedAnswer) as cause:
            raise HubNotFound(f"no PoCo hub at {self.hub_address} on chain {chain_id}") from cause
        self._chain_id = chain_id

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
        calls = [("eth_call", (self._call_fields(function, item, None), when)) for item in arguments]
        decoded = []
        for answer in await self.rpc.batch(calls):
            if isinstance(answer, RpcError):
                raise _call_error(function, answer) from answer
            decoded.append(_decoded(function, answer))
        return decoded

    def _call_fields(
        self, function: Function, arguments: Sequence[Any], to: Address | None
    ) -> dict[str, str]:
        return {"to": to or self.hub_address, "data": to_hex(function.encode(*arguments))}

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

    async def workerpool_owner(self, workerpool: Address) -> Address:
        """Read the owner of a workerpool from its own contract."""
        return address((await self.call(abi.WORKERPOOL["owner"], to=workerpool))[0])

    # --- accounts and constants ----------------------------------------------

    async def view_account(self, owner: Address) -> Account:
        """Read an owner's free and locked nRLC in the hub."""
        return Account(*(await self.call(abi.HUB["viewAccount"], owner))[0])

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

    async def balance(self, owner: Address) -> int:
        """Read an account's balance of the chain's coin, in wei, which pays for gas."""
        return quantity("eth_getBalance", await self.rpc.call("eth_getBalance", owner, "latest"))

    async def balances(self, owners: Sequence[Address]) -> list[int]:
        """Read the balances of many accounts in one batch, in wei, in order."""
        answers = await self.rpc.batch_results([("eth_getBalance", (owner, "latest")) for owner in owners])
        return [quantity("eth_getBalance", answer) for answer in answers]


def _decoded(function: Function, answer: Any) -> tuple[Any, ...]:
    if not isinstance(answer, str):
        raise malformed(function.name, answer)
    return function.decode(from_hex(answer))


def _call_error(function: Function, error: RpcError) -> PocoError:
    reverted = error.code == 3 or "revert" in error.message.lower()
    return CallReverted(f"{function.name} reverted: {error.message}") if reverted else error
