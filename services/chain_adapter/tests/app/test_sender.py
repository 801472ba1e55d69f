"""Nodes that cannot estimate gas: one that blames the call ends a command, one in trouble only delays it."""

from collections.abc import Sequence
from typing import Any

import pytest
from workerpool_chain_adapter.adapters.hub_chain import HubChain
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.reconciler import Reconciler
from workerpool_chain_adapter.app.sender import Sender
from workerpool_chain_adapter.app.wakeup import Wakeup
from workerpool_chain_adapter.domain.assessment import ChainSnapshot
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_kit.clock import SystemClock
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import ChainUnreachable, RpcError
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId, parse_task_id
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus

TASK = TaskId("0x" + "11" * 32)
CLAIMABLE = ChainTask(
    *(TASK, ChainTaskStatus.ACTIVE, DealId(TASK), 0, 1, 7, 2, 10, b"", 0, 0, (), b"", b"", 0, b""),
)


class Node:
    """A node that says what the test wants to estimates, on a chain where the command is possible."""

    node_url, hub_address, chain_id = "http://node", ZERO_ADDRESS, 1

    def __init__(self, refusal: RpcError) -> None:
        self.refusal = refusal
        self.rpc = self
        self.estimates = 0

    async def batch(self, calls: Sequence[tuple[str, Any]]) -> list[Any]:
        answers = {"eth_gasPrice": "0x1", "eth_getBlockByNumber": {"gasLimit": "0xffffff"}}
        self.estimates += sum(method == "eth_estimateGas" for method, _ in calls)
        return [answers.get(method, self.refusal) for method, _ in calls]


class Chain(HubChain):
    """The node above, and rules that allow everything."""

    async def snapshots(self, commands: Sequence[Command]) -> list[ChainSnapshot]:
        deal: Any = None
        return [ChainSnapshot(deal, CLAIMABLE, 7, 11, ZERO_ADDRESS) for _ in commands]


async def round_with(*refusal: Any, commands: int = 1) -> ActiveCommands:
    """Let a sender work on claims once, at a node that answers estimates with an error; raises what that raises."""

    async def save(_: Sequence[Command]) -> None:
        pass

    node: Any = Node(RpcError("eth_estimateGas", *refusal))
    board, chain = ActiveCommands(save), Chain(node, Wallet.create())
    around: Any = None
    sender = Sender(
        transactions=around,
        active=board,
        chain=chain,
        heads=around,
        in_flight=InFlight(),
        mined=around,
        reconciler=Reconciler(board, chain, SystemClock()),
        policy=GasPolicy(),
        tracking=Wakeup(),
        clock=SystemClock(),
        max_in_flight=5,
        max_batch=100,
    )
    board.show(
        *(
            Command(CommandKey(parse_task_id(bytes([n]) * 32), CommandKind.CLAIM), n, n)
            for n in range(commands)
        )
    )
    try:
        await sender.round()
    except ChainUnreachable:
        assert (len(board.waiting()), node.estimates) == (commands, 1), (
            "all wait, and it is not asked more than needed"
        )
        raise
    return board


REVERTS = [
    (3, "execution reverted", "0x"),
    (-32000, "execution reverted"),
    (-32015, "VM execution error.", "Reverted 0x"),
    (-32000, "gas required exceeds allowance (30000000)"),
    (-32000, "always failing transaction"),
    (-32603, "EVM error OutOfGas"),
]
TROUBLES = [
    (-32005, "daily request count exceeded, request rate limited"),
    (-32603, "Internal error"),
    (-32000, "execution aborted (timeout = 5s)"),
    (-32000, "no backend is currently healthy to serve traffic"),
]


@pytest.mark.parametrize("refusal", REVERTS)
async def test_a_call_that_would_revert_is_not_sent_and_ends(refusal: Any) -> None:
    board = await round_with(*refusal)
    assert not board.waiting()
    assert board.get(CommandKey(parse_task_id(bytes(32)), CommandKind.CLAIM)) is None, "it has ended"


@pytest.mark.parametrize("refusal", TROUBLES)
async def test_a_node_in_trouble_ends_no_command(refusal: Any) -> None:
    """What the adapter calls impossible, the scheduler gives up: a task would fail for a busy node."""
    with pytest.raises(ChainUnreachable, match="cannot estimate"):
        await round_with(*refusal, commands=3)
