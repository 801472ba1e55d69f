"""REVEAL: send the digest that the contribution committed to."""

from workerpool_poco.protocol.ids import from_hex
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.reorg import wait_if_consensus_orphaned
from workerpool_worker.domain.prechecks import reveal_obstacle
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details, Receipt
from workerpool_worker.domain.wallet.transactions import TransactionKind
from workerpool_worker.errors import RevertForeseen, StepFailed, TransactionRefused

_BLOCK_LIMIT_S = 60.0
_POLLS = 30
"""One read per block, and at least one in two seconds: a chain without transactions may have no blocks.

A node may announce a block before all its reads know it, and a block may be orphaned. A command of the scheduler
interrupts the step when further reads are useless."""
_NEXT_BLOCK_LIMIT_S = 2.0
_REVERTS = 6
"""Reverted transactions after which the step fails, since each costs gas."""


async def reveal(replicate: Replicate) -> None:
    """Wait for the consensus block, check that the contribution matches the consensus, and reveal it."""
    chain = replicate.context.chain
    digest = await _digest_at_consensus(replicate)
    own_hash = result_hash(replicate.task.task_id, digest)
    failure = StepFailed(ReplicateStatusCause.CANNOT_REVEAL, "")
    foresee, reverts = True, 0
    for attempt in range(_POLLS):
        if attempt:
            await chain.wait_block(chain.head + 1, _NEXT_BLOCK_LIMIT_S)
        receipt = await chain.resume(TransactionKind.REVEAL, replicate.task.task_id)
        if receipt is not None:
            replicate.complete_step(Details(receipt=receipt))
            return
        chain_task, contribution = await chain.with_contribution(replicate.task.task_id)
        if contribution.status is ContributionStatus.PROVED:
            sent = await chain.last_sent(TransactionKind.REVEAL, replicate.task.task_id)
            replicate.complete_step(Details(receipt=Receipt(chain.head, sent)))
            return
        problem = reveal_obstacle(
            chain_task,
            contribution.result_hash,
            own_hash,
            contributed=contribution.status is ContributionStatus.CONTRIBUTED,
            now=replicate.context.clock.now(),
        )
        if problem:
            failure = StepFailed(ReplicateStatusCause.CANNOT_REVEAL, problem)
            continue
        try:
            receipt = await chain.reveal(replicate.task.task_id, digest, foresee=foresee)
        except RevertForeseen as foreseen:
            # If the state of the chain still allows the reveal then, only a mined revert says otherwise.
            foresee, failure = False, _refused(foreseen)
        except TransactionRefused as reverted:
            reverts, failure = reverts + 1, _refused(reverted)
            if reverts == _REVERTS:
                break
        else:
            replicate.complete_step(Details(receipt=receipt))
            return
    if not await wait_if_consensus_orphaned(replicate, Stage.AWAIT_REVEAL):
        raise failure


def _refused(error: TransactionRefused) -> StepFailed:
    return StepFailed(ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID, str(error))


async def _digest_at_consensus(replicate: Replicate) -> bytes:
    """Return the digest to reveal once the node has the consensus block. Raises `StepFailed`."""
    record, chain = replicate.record, replicate.context.chain
    if not record.consensus_block:
        raise StepFailed(
            ReplicateStatusCause.CONSENSUS_BLOCK_MISSING, "the scheduler named no consensus block"
        )
    if not record.result_available or record.result is None:
        raise StepFailed(ReplicateStatusCause.DETERMINISM_HASH_NOT_FOUND, "there is no result to reveal")
    digest = from_hex(record.result.digest)
    if not await chain.wait_block(record.consensus_block, _BLOCK_LIMIT_S):
        raise StepFailed(
            ReplicateStatusCause.BLOCK_NOT_REACHED,
            f"the node is at block {chain.head} and did not reach block {record.consensus_block} "
            f"in {_BLOCK_LIMIT_S:.0f} s",
        )
    return digest
