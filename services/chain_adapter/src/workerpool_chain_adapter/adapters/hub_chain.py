"""The chain as the pool owner's wallet sees and uses it: reads before sending, gas, sending, receipts."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.rpc import ChainUnreachable, RpcError
from workerpool_poco.chain.transaction_errors import classify
from workerpool_poco.chain.wallet import Transaction, Wallet
from workerpool_poco.protocol.deadlines import contribution_deadline
from workerpool_poco.protocol.ids import Address, HexId, from_hex, to_hex
from workerpool_poco.protocol.model import ChainTask, Deal

from workerpool_chain_adapter.domain.assessment import Situation
from workerpool_chain_adapter.domain.command import Command
from workerpool_chain_adapter.domain.planning import Plan
from workerpool_chain_adapter.domain.sending import SendOutcome, outcome_of, would_revert
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Version

GAS_MARGIN_PERCENT = 20
"""Added to the node's estimate: the state may change until the transaction is mined."""

_DEALS_KEPT = 10_000
_LATEST_BLOCK = ("eth_getBlockByNumber", ("latest", False))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction."""

    hash: HexId
    succeeded: bool
    block_number: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """The gas a plan needs, margin included; None with the node's words when it tells none.

    `would_revert` says that the node blames the plan; else it is in trouble itself.
    """

    gas: int | None
    problem: str = ""
    would_revert: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """How the node took one transaction, and its words when it did not like it."""

    outcome: SendOutcome
    message: str = ""


class OwnerChain:
    """Calls of one node with one wallet. Everything raises ChainUnreachable when the node does not answer."""

    def __init__(self, hub: HubClient, wallet: Wallet) -> None:
        self._hub = hub
        self._rpc = hub.rpc
        self._wallet = wallet
        self._deals: dict[bytes, Deal] = {}
        self._deadline_ratio = 0
        self._callback_gas = 0

    @property
    def address(self) -> Address:
        """The wallet's address."""
        return self._wallet.address

    async def prepare(self) -> None:
        """Read the hub's constants."""
        self._deadline_ratio = await self._hub.contribution_deadline_ratio()
        self._callback_gas = await self._hub.callback_gas()

    async def situations(self, commands: Sequence[Command]) -> list[Situation]:
        """Read, in a few round trips, what the contract will look at for these commands."""
        head, tasks = await asyncio.gather(
            self._hub.block(),
            self._hub.view_tasks([from_hex(command.key.task_id) for command in commands]),
        )
        if head is None:
            raise ChainUnreachable(f"{self._rpc.node_url} knows no latest block")
        wanted = [_deal_id(command, task) for command, task in zip(commands, tasks, strict=True)]
        deals = await self._read_deals(wanted)
        situations = []
        for task, deal_id in zip(tasks, wanted, strict=True):
            deal = deals[deal_id]
            deadline = 0
            if deal.exists:
                category = await self._hub.view_category(deal.category)
                deadline = contribution_deadline(
                    deal.start_time, category.work_clock_time_ref, self._deadline_ratio
                )
            situations.append(Situation(deal, task, deadline, head.timestamp, self.address))
        return situations

    async def estimate(self, plans: Sequence[Plan]) -> tuple[int, list[Estimate]]:
        """Return the network's gas price (wei) and what each plan needs, in one round trip."""
        calls = [("eth_estimateGas", (self._call(plan.data), "latest")) for plan in plans]
        price, block, *answers = await self._rpc.batch([("eth_gasPrice", ()), _LATEST_BLOCK, *calls])
        if isinstance(price, RpcError) or not isinstance(block, dict):
            raise ChainUnreachable(f"{self._rpc.node_url} tells no gas price or no latest block: {price}")
        most = int(block["gasLimit"], 16)
        return int(price, 16), [
            self._estimate(plan, answer, most) for plan, answer in zip(plans, answers, strict=True)
        ]

    def sign(self, nonce: int, gas: int, gas_price: int, data: bytes) -> Version:
        """Sign a call of the hub (legacy transaction, EIP-155); nothing is sent.

        Without data it is an empty transfer to the wallet itself, which only uses up its nonce.
        """
        signed = self._wallet.sign_transaction(
            Transaction(
                nonce=nonce,
                gas_price=gas_price,
                gas=gas,
                to=self._hub.hub_address if data else self.address,
                value=0,
                data=data,
                chain_id=self._hub.chain_id,
            )
        )
        return Version(to_hex(signed.hash), signed.raw, gas_price)

    async def send(self, versions: Sequence[Version]) -> list[Sent]:
        """Hand signed transactions to the node, in order. Sending one twice does no harm."""
        answers = await self._rpc.batch(
            [("eth_sendRawTransaction", (to_hex(each.raw),)) for each in versions]
        )
        return [
            Sent(outcome_of(classify(answer)), answer.message)
            if isinstance(answer, RpcError)
            else Sent(SendOutcome.ACCEPTED)
            for answer in answers
        ]

    async def counts(self) -> tuple[int, int]:
        """Return the wallet's transaction counts: mined at the latest block, and with what the node holds."""
        mined, pending = await self._rpc.batch(
            [("eth_getTransactionCount", (self.address, block)) for block in ("latest", "pending")]
        )
        if isinstance(mined, RpcError):
            raise ChainUnreachable(str(mined)) from mined
        # Some nodes know no "pending" count; the journal knows what is in flight anyway.
        return int(mined, 16), int(mined if isinstance(pending, RpcError) else pending, 16)

    async def receipts(self, transactions: Sequence[JournaledTransaction]) -> dict[int, Receipt]:
        """Return the receipts of those that are mined, by nonce; any version of a transaction may be the mined one."""
        wanted = [(each.nonce, version.hash) for each in transactions for version in each.versions]
        if not wanted:
            return {}
        answers = await self._rpc.batch([("eth_getTransactionReceipt", (hash_,)) for _, hash_ in wanted])
        receipts = {}
        for (nonce, hash_), answer in zip(wanted, answers, strict=True):
            if isinstance(answer, RpcError):
                # Not the same as "not mined": much would be set in motion for a node that is only busy.
                raise ChainUnreachable(f"{self._rpc.node_url} tells no receipt: {answer}") from answer
            if answer is not None:
                succeeded = answer["status"] == "0x1"
                block, gas = int(answer["blockNumber"], 16), int(answer["gasUsed"], 16)
                receipts[nonce] = Receipt(hash_, succeeded, block, gas)
        return receipts

    async def knows(self, hashes: Sequence[HexId]) -> list[bool]:
        """Tell which transactions the node has, mined or not."""
        answers = await self._rpc.batch([("eth_getTransactionByHash", (each,)) for each in hashes])
        return [isinstance(answer, dict) for answer in answers]

    async def network_price(self) -> int:
        """Return the network's gas price, in wei."""
        return int(await self._rpc.call("eth_gasPrice"), 16)

    async def balance(self) -> int:
        """Return the wallet's balance, in wei."""
        return await self._hub.balance(self.address)

    async def block_gas_limit(self) -> int:
        """Return how much gas the latest block may use: an upper bound for one transaction."""
        method, parameters = _LATEST_BLOCK
        block = await self._rpc.call(method, *parameters)
        return int(block["gasLimit"], 16)

    def _call(self, data: bytes) -> dict[str, str]:
        return {"from": self.address, "to": self._hub.hub_address, "data": to_hex(data)}

    def _estimate(self, plan: Plan, answer: object, most: int) -> Estimate:
        if isinstance(answer, RpcError):
            return Estimate(None, answer.message, would_revert(answer))
        gas = int(str(answer), 16)
        # An estimate of finalize may leave too little for the callback, which is called with a fixed stipend.
        callback = self._callback_gas if any(command.callback_data for command in plan.commands) else 0
        # What wants more than a block has is refused by every node.
        return Estimate(min(gas + gas * GAS_MARGIN_PERCENT // 100 + callback, most))

    async def _read_deals(self, deal_ids: Iterable[bytes]) -> dict[bytes, Deal]:
        """Return deals; what was read once is kept, because a deal never changes."""
        wanted = set(deal_ids)
        missing = [each for each in wanted if each not in self._deals]
        read = dict(zip(missing, await self._hub.view_deals(missing), strict=True)) if missing else {}
        deals = {each: read[each] if each in read else self._deals[each] for each in wanted}
        if len(self._deals) > _DEALS_KEPT:
            self._deals.clear()
        self._deals.update({each: deal for each, deal in read.items() if deal.exists})
        return deals


def _deal_id(command: Command, task: ChainTask) -> bytes:
    return from_hex(command.deal_id) if command.deal_id else task.deal_id
