"""The `WalletChain` port over JSON-RPC: reads, gas estimates, signing, sending and receipts."""

import asyncio
from collections.abc import Iterable, Sequence

from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transaction_errors import classify
from workerpool_poco.chain.wallet import Transaction, Wallet
from workerpool_poco.errors import ChainUnreachable, RpcError
from workerpool_poco.protocol.deadlines import contribution_deadline
from workerpool_poco.protocol.ids import Address, DealId, Hex, to_hex
from workerpool_poco.protocol.model import ChainTask, Deal

from workerpool_chain_adapter.adapters.node_errors import outcome_of, would_revert
from workerpool_chain_adapter.domain.assessment import ChainSnapshot
from workerpool_chain_adapter.domain.command import Command
from workerpool_chain_adapter.domain.planning import Plan
from workerpool_chain_adapter.domain.sending import GasEstimate, SendAnswer, SendOutcome
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Receipt, Version

GAS_MARGIN_PERCENT = 20
"""Added to the node's estimate: the state may change until the transaction is mined."""

_MAX_CACHED_DEALS = 10_000
_LATEST_BLOCK = ("eth_getBlockByNumber", ("latest", False))


class HubChain:
    """Calls one node with one wallet. Every request raises ChainUnreachable when the node does not answer."""

    def __init__(self, hub: HubClient, wallet: Wallet) -> None:
        self._hub = hub
        self._rpc = hub.rpc
        self._wallet = wallet
        self._deals: dict[DealId, Deal] = {}
        self._deadline_ratio = 0
        self._callback_gas = 0

    @property
    def address(self) -> Address:
        """The wallet's address."""
        return self._wallet.address

    async def prepare(self) -> None:
        """Read the hub's constants; call it once before anything else."""
        self._deadline_ratio = await self._hub.contribution_deadline_ratio()
        self._callback_gas = await self._hub.callback_gas()

    async def snapshots(self, commands: Sequence[Command]) -> list[ChainSnapshot]:
        """Read what the contract checks for these commands, in a few round trips; see `WalletChain`."""
        head, tasks = await asyncio.gather(
            self._hub.block(),
            self._hub.view_tasks([command.key.task_id for command in commands]),
        )
        if head is None:
            raise ChainUnreachable(f"{self._rpc.node_url} returned no latest block")
        wanted = [_deal_id(command, task) for command, task in zip(commands, tasks, strict=True)]
        deals = await self._read_deals(wanted)
        snapshots = []
        for task, deal_id in zip(tasks, wanted, strict=True):
            deal = deals[deal_id]
            deadline = 0
            if deal.exists:
                category = await self._hub.view_category(deal.category)
                deadline = contribution_deadline(
                    deal.start_time, category.work_clock_time_ref, self._deadline_ratio
                )
            snapshots.append(ChainSnapshot(deal, task, deadline, head.timestamp, self.address))
        return snapshots

    async def estimate(self, plans: Sequence[Plan]) -> tuple[int, list[GasEstimate]]:
        """Return the gas price (wei) and each plan's gas, in one round trip; see `WalletChain`."""
        calls = [("eth_estimateGas", (self._call(plan.data), "latest")) for plan in plans]
        price, block, *answers = await self._rpc.batch([("eth_gasPrice", ()), _LATEST_BLOCK, *calls])
        if isinstance(price, RpcError) or not isinstance(block, dict):
            raise ChainUnreachable(f"{self._rpc.node_url} returned no gas price or no latest block: {price}")
        most = int(block["gasLimit"], 16)
        return int(price, 16), [
            self._estimate(plan, answer, most) for plan, answer in zip(plans, answers, strict=True)
        ]

    def sign(self, nonce: int, gas: int, gas_price: int, data: bytes) -> Version:
        """Sign a legacy transaction (EIP-155) that calls the hub; nothing is sent; see `WalletChain`."""
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

    async def send(self, versions: Sequence[Version]) -> list[SendAnswer]:
        """Send signed transactions in order; see `WalletChain`."""
        answers = await self._rpc.batch(
            [("eth_sendRawTransaction", (to_hex(each.raw),)) for each in versions]
        )
        return [
            SendAnswer(outcome_of(classify(answer)), answer.message)
            if isinstance(answer, RpcError)
            else SendAnswer(SendOutcome.ACCEPTED)
            for answer in answers
        ]

    async def counts(self) -> tuple[int, int]:
        """Return the wallet's transaction counts; see `WalletChain`."""
        mined, pending = await self._rpc.batch(
            [("eth_getTransactionCount", (self.address, block)) for block in ("latest", "pending")]
        )
        if isinstance(mined, RpcError):
            raise ChainUnreachable(str(mined)) from mined
        # Some nodes have no "pending" count; the journal holds what is in flight.
        return int(mined, 16), int(mined if isinstance(pending, RpcError) else pending, 16)

    async def receipts(self, transactions: Sequence[JournaledTransaction]) -> dict[int, Receipt]:
        """Return the receipts of mined transactions by nonce; see `WalletChain`."""
        wanted = [(each.nonce, version.hash) for each in transactions for version in each.versions]
        if not wanted:
            return {}
        answers = await self._rpc.batch([("eth_getTransactionReceipt", (hash_,)) for _, hash_ in wanted])
        receipts = {}
        for (nonce, hash_), answer in zip(wanted, answers, strict=True):
            if isinstance(answer, RpcError):
                # A busy node is not a missing receipt, which would trigger resends and replacements.
                raise ChainUnreachable(f"{self._rpc.node_url} returned no receipt: {answer}") from answer
            if answer is not None:
                succeeded = answer["status"] == "0x1"
                block, gas = int(answer["blockNumber"], 16), int(answer["gasUsed"], 16)
                receipts[nonce] = Receipt(hash_, succeeded, block, gas)
        return receipts

    async def knows(self, hashes: Sequence[Hex]) -> list[bool]:
        """Return which transactions the node has; see `WalletChain`."""
        answers = await self._rpc.batch([("eth_getTransactionByHash", (each,)) for each in hashes])
        return [isinstance(answer, dict) for answer in answers]

    async def network_price(self) -> int:
        """Return the network's gas price, in wei."""
        return int(await self._rpc.call("eth_gasPrice"), 16)

    async def balance(self) -> int:
        """Return the wallet's balance, in wei."""
        return await self._hub.balance(self.address)

    async def block_gas_limit(self) -> int:
        """Return the gas limit of the latest block: an upper bound for one transaction."""
        method, parameters = _LATEST_BLOCK
        block = await self._rpc.call(method, *parameters)
        return int(block["gasLimit"], 16)

    def _call(self, data: bytes) -> dict[str, str]:
        return {"from": self.address, "to": self._hub.hub_address, "data": to_hex(data)}

    def _estimate(self, plan: Plan, answer: object, most: int) -> GasEstimate:
        if isinstance(answer, RpcError):
            return GasEstimate(None, answer.message, would_revert(answer))
        gas = int(str(answer), 16)
        # An estimate of finalize may be too low for the callback, which the contract calls with a fixed stipend.
        callback = self._callback_gas if any(command.callback_data for command in plan.commands) else 0
        # Every node refuses a gas limit above that of the block.
        return GasEstimate(min(gas + gas * GAS_MARGIN_PERCENT // 100 + callback, most))

    async def _read_deals(self, deal_ids: Iterable[DealId]) -> dict[DealId, Deal]:
        """Return deals, cached because a deal never changes."""
        wanted = set(deal_ids)
        missing = [each for each in wanted if each not in self._deals]
        read = dict(zip(missing, await self._hub.view_deals(missing), strict=True)) if missing else {}
        deals = {each: read[each] if each in read else self._deals[each] for each in wanted}
        if len(self._deals) > _MAX_CACHED_DEALS:
            self._deals.clear()
        self._deals.update({each: deal for each, deal in read.items() if deal.exists})
        return deals


def _deal_id(command: Command, task: ChainTask) -> DealId:
    return command.deal_id or task.deal_id
