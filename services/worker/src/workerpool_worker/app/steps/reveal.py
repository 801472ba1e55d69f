"""REVEAL: show the digest that the contribution committed to."""

import asyncio

from workerpool_poco.chain.transaction_errors import OutOfGas
from workerpool_poco.protocol.ids import from_hex
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatusCause

from workerpool_worker.app.ports import TransactionRefused
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.reorganised import await_consensus
from workerpool_worker.domain.prechecks import reveal_obstacle
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details, Receipt
from workerpool_worker.errors import StepFailed

_BLOCK_LIMIT_S = 60.0
_TRIES = 6
"""One per block: a node may announce a block before all of its reads know it, and a block may vanish again.

A command of the scheduler ends the wait when it has become pointless."""
_NEXT_BLOCK_LIMIT_S = 10.0


async def reveal(run: Replicate) -> None:
    """Wait for the consensus block, check that the contribution won, and reveal it."""
    if not run.record.consensus_block:
        raise StepFailed(
            ReplicateStatusCause.CONSENSUS_BLOCK_MISSING, "the scheduler named no consensus block"
        )
    if not run.record.result_available or run.record.result is None:
        raise StepFailed(ReplicateStatusCause.DETERMINISM_HASH_NOT_FOUND, "there is no result to reveal")
    digest = from_hex(run.record.result.digest)
    if not await run.office.chain.wait_block(run.record.consensus_block, _BLOCK_LIMIT_S):
        raise StepFailed(
            ReplicateStatusCause.BLOCK_NOT_REACHED,
            f"the node is at block {run.office.chain.head} and does not reach {run.record.consensus_block}",
        )
    own_hash = result_hash(run.task.task_id, digest)
    failure = StepFailed(ReplicateStatusCause.CANNOT_REVEAL, "")
    for attempt in range(_TRIES):
        if attempt:
            await run.office.chain.wait_block(run.office.chain.head + 1, _NEXT_BLOCK_LIMIT_S)
        chain_task, contribution = await _read(run)
        if contribution.status is ContributionStatus.PROVED:
            run.done(Details(receipt=await _earlier_receipt(run)))
            return
        problem = reveal_obstacle(
            chain_task,
            contribution.result_hash,
            own_hash,
            contributed=contribution.status is ContributionStatus.CONTRIBUTED,
            now=run.office.clock.now(),
        )
        if problem:
            failure = StepFailed(ReplicateStatusCause.CANNOT_REVEAL, problem)
            continue
        try:
            receipt = await _send(run, digest)
        except TransactionRefused as refused:
            failure = StepFailed(ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID, str(refused))
            continue
        run.done(Details(receipt=receipt))
        return
    if not await await_consensus(run, Stage.AWAIT_REVEAL):
        raise failure


async def _read(run: Replicate) -> tuple[ChainTask, Contribution]:
    task_id = run.task.task_id
    return await asyncio.gather(run.office.chain.task(task_id), run.office.chain.contribution(task_id))


async def _earlier_receipt(run: Replicate) -> Receipt:
    sent = run.record.reveal_tx
    if sent is not None:
        try:
            receipt = await run.office.chain.resume(sent, run.keep_reveal)
        except TransactionRefused:
            receipt = None
        if receipt is not None:
            return receipt
    return Receipt(run.office.chain.head, sent.hash if sent else "")


async def _send(run: Replicate, digest: bytes) -> Receipt:
    try:
        if run.record.reveal_tx is not None:
            try:
                receipt = await run.office.chain.resume(run.record.reveal_tx, run.keep_reveal)
            except TransactionRefused as refused:
                run.log.warning("reveal.earlier_one_failed", error=str(refused))
                receipt = None
            if receipt is not None:
                return receipt
        return await run.office.chain.reveal(run.task.task_id, digest, run.keep_reveal)
    except OutOfGas as empty:
        raise StepFailed(ReplicateStatusCause.OUT_OF_GAS, str(empty)) from empty
