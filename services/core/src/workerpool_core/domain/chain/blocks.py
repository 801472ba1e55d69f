"""Blocks of the followed chain: deals become tasks, logs move tasks and replicates."""

from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.chain import chain_evidence
from workerpool_core.domain.decisions import CursorMoved
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import BlockSeen, BlocksReverted, TaskLog, TaskLogKind, TransactionKind
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates.consensus_forecast import is_caf_eligible
from workerpool_core.domain.tasks import completion, initialization, retries

_LOGGED = {
    TransactionKind.INITIALIZE: TaskLogKind.INITIALIZE,
    TransactionKind.REOPEN: TaskLogKind.REOPEN,
    TransactionKind.FINALIZE: TaskLogKind.FINALIZE,
    TransactionKind.CLAIM: TaskLogKind.CLAIMED,
}
REVEAL_PERIODS = 2
"""Reveals end this many category times after the consensus (core spec §6.3)."""


def seen(turn: Turn, block: BlockSeen) -> None:
    """Take a block in; the cursor moves with the last of its writes."""
    for deal in block.deals:
        initialization.take_deal(turn, deal.terms)
    at_once = {
        (log.task_id, log.receipt.transaction) for log in block.logs if log.kind is TaskLogKind.FINALIZE
    }
    for log in block.logs:
        task = turn.state.tasks.get(log.task_id)
        if task is not None:
            in_one = is_caf_eligible(task) and (log.task_id, log.receipt.transaction) in at_once
            _log(turn, task, log, block, in_one)
    turn.state.head = block.number
    turn.state.chain_time = block.timestamp
    _verify(turn)
    turn.writes.append(CursorMoved(block.number, block.hash))


def _verify(turn: Turn) -> None:
    """Read again what was learnt of blocks before they were followed, now that they are."""
    state = turn.state
    for task_id in [task_id for task_id, (block, _) in state.ahead.items() if block <= state.head]:
        del state.ahead[task_id]
        if (task := state.tasks.get(task_id)) is not None:
            turn.read(task)


def _log(turn: Turn, task: Task, log: TaskLog, block: BlockSeen, in_one: bool) -> None:
    """Apply one log. `in_one`: its transaction finalizes too, so it is a contributeAndFinalize."""
    _, heard_of = turn.state.ahead.get(task.task_id, (0, None))
    if heard_of is not None and log.kind is _LOGGED[heard_of]:
        del turn.state.ahead[task.task_id]
    if log.kind is TaskLogKind.CLAIMED:
        completion.fail(turn, task, TaskStatus.FINAL_DEADLINE_REACHED)
        completion.closed(turn, task, log.receipt.block)
        return
    if task.ended:
        if log.kind is TaskLogKind.FINALIZE:
            completion.closed(turn, task, log.receipt.block)
        return
    replicate = task.replicates.get(log.worker)
    match log.kind:
        case TaskLogKind.INITIALIZE:
            initialization.initialized(turn, task, log.receipt)
        case TaskLogKind.CONTRIBUTE if replicate is not None:
            if in_one:
                chain_evidence.contributed_and_finalized(turn, replicate, log.value, "", log.receipt)
            else:
                chain_evidence.contributed(turn, task, replicate, log.value, log.receipt)
        case TaskLogKind.CONSENSUS if not in_one:
            winners = sum(r.contribution_hash == log.value for r in task.replicates.values())
            chain_evidence.consensus(
                turn,
                task,
                log.value,
                receipt=log.receipt,
                reveal_deadline=block.timestamp + REVEAL_PERIODS * task.terms.max_execution_s,
                winner_count=max(winners, 1),
            )
        case TaskLogKind.REVEAL if replicate is not None and not in_one:
            chain_evidence.revealed(turn, replicate, log.receipt)
        case TaskLogKind.REOPEN:
            chain_evidence.reopened(turn, task, log.receipt)
        case TaskLogKind.FINALIZE:
            completion.complete(turn, task, log.receipt, _text(log.value))


def _text(value: str) -> str:
    return bytes.fromhex(value.removeprefix("0x")).decode(errors="replace")


def reverted(turn: Turn, event: BlocksReverted) -> None:
    """Blocks vanished: every live task is read again, and repaired by what the chain says then.

    An ended task whose finalization or claim vanished has it asked for again.
    """
    turn.state.head = min(turn.state.head, event.ancestor)
    turn.state.chain_time = 0.0
    turn.state.reverted_at = turn.now
    for task in list(turn.state.tasks.values()):
        if not task.ended:
            turn.read(task)
            continue
        if task.final_block > event.ancestor:
            completion.opened_again(turn, task)
            retries.pursue(turn, task)
