"""Blocks of the followed chain: deals become tasks, logs move tasks and replicates."""

from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.chain import chain_evidence
from workerpool_core.domain.decisions import CursorMoved
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import BlockSeen, BlocksReverted, TaskLog, TaskLogKind, TransactionKind
from workerpool_core.domain.live import LiveTask
from workerpool_core.domain.replicates.consensus_forecast import is_caf_eligible
from workerpool_core.domain.tasks import bags, completion, initialization, retries

_LOG_OF = {
    TransactionKind.INITIALIZE: TaskLogKind.INITIALIZE,
    TransactionKind.REOPEN: TaskLogKind.REOPEN,
    TransactionKind.FINALIZE: TaskLogKind.FINALIZE,
    TransactionKind.CLAIM: TaskLogKind.CLAIMED,
}
REVEAL_PERIODS = 2
"""The reveal phase lasts this many category times after the consensus (core spec §6.3)."""


def seen(context: EventContext, block: BlockSeen) -> None:
    """Apply a block; the cursor moves with the last of its writes."""
    state = context.state
    for deal in block.deals:
        bags.take_deal(context, deal.terms)
    finalizing = {
        (log.task_id, log.receipt.transaction) for log in block.logs if log.kind is TaskLogKind.FINALIZE
    }
    for log in block.logs:
        live = state.tasks.get(log.task_id)
        if live is not None:
            caf = is_caf_eligible(live.task) and (log.task_id, log.receipt.transaction) in finalizing
            _apply_log(context, live, log, block, caf)
    state.head = block.number
    state.chain_time = block.timestamp
    _verify_unfollowed(context)
    context.writes.append(CursorMoved(block.number, block.hash))


def _verify_unfollowed(context: EventContext) -> None:
    """Read the tasks again whose unfollowed change is now in a followed block."""
    state = context.state
    for task_id in list(state.unfollowed):
        live = state.tasks[task_id]
        if live.unfollowed is None or live.unfollowed.block <= state.head:
            _followed(context, live)
            context.read_task(live.task)


def _followed(context: EventContext, live: LiveTask) -> None:
    live.unfollowed = None
    del context.state.unfollowed[live.task.task_id]


def _apply_log(context: EventContext, live: LiveTask, log: TaskLog, block: BlockSeen, caf: bool) -> None:
    """Apply one log; `caf` is true when its transaction is a contributeAndFinalize."""
    task = live.task
    kind = None if live.unfollowed is None else live.unfollowed.kind
    if kind is not None and log.kind is _LOG_OF[kind]:
        _followed(context, live)
    if log.kind is TaskLogKind.CLAIMED:
        completion.fail(context, task, TaskStatus.FINAL_DEADLINE_REACHED)
        completion.closed(context, task, log.receipt.block)
        return
    if task.ended:
        if log.kind is TaskLogKind.FINALIZE:
            completion.closed(context, task, log.receipt.block)
        return
    replicate = task.replicates.get(log.worker)
    match log.kind:
        case TaskLogKind.INITIALIZE:
            initialization.initialized(context, task, log.receipt)
        case TaskLogKind.CONTRIBUTE if replicate is not None:
            if caf:
                chain_evidence.contributed_and_finalized(context, replicate, log.value, "", log.receipt)
            else:
                chain_evidence.contributed(context, replicate, log.value, log.receipt)
        case TaskLogKind.CONTRIBUTE:
            # A replicate that this database does not have: the read adds it.
            context.read_task(task)
        case TaskLogKind.CONSENSUS if not caf:
            winners = sum(r.contribution_hash == log.value for r in task.replicates.values())
            chain_evidence.consensus(
                context,
                task,
                log.value,
                receipt=log.receipt,
                reveal_deadline=block.timestamp + REVEAL_PERIODS * task.terms.max_execution_s,
                winner_count=max(winners, 1),
            )
        case TaskLogKind.REVEAL if replicate is not None and not caf:
            chain_evidence.revealed(context, replicate, log.receipt)
        case TaskLogKind.REOPEN:
            chain_evidence.reopened(context, task, log.receipt)
        case TaskLogKind.FINALIZE:
            completion.complete(context, task, log.receipt, _text(log.value))


def _text(value: str) -> str:
    return bytes.fromhex(value.removeprefix("0x")).decode(errors="replace")


def reverted(context: EventContext, event: BlocksReverted) -> None:
    """Handle a reorganisation: read live tasks again, and retry to close ended tasks whose final block it removed."""
    state = context.state
    state.head = min(state.head, event.ancestor)
    state.chain_time = 0.0
    state.reverted_at = context.now
    bags.removed(context, event.ancestor)
    for live in list(state.tasks.values()):
        task = live.task
        if not task.ended:
            context.read_task(task)
        elif task.final_block > event.ancestor:
            completion.closing_removed(context, task)
            retries.retry(context, task)
