"""REVEAL: send the digest that the contribution committed to."""

import asyncio

from workerpool_poco.protocol.ids import from_hex
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.reorg import wait_if_consensus_orphaned
from workerpool_worker.domain.prechecks import reveal_obstacle
from workerpool_worker.domain.record import SentTransaction
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details, Receipt
from workerpool_worker.errors import StepFailed, TransactionRefused, WalletOutOfGas

_BLOCK_LIMIT_S = 60.0
_ATTEMPTS = 6
"""One attempt per block. A node may announce a block before all its reads know it, and a block may be orphaned.

A command of the scheduler interrupts the step once further attempts are useless."""
_NEXT_BLOCK_LIMIT_S = 10.0


async def reveal(replicate: Replicate) -> None:
    """Wait for the consensus block, check that the contribution matches the consensus, and reveal it."""
    chain = replicate.context.chain
    digest = await _digest_at_consensus(replicate)
    own_hash = result_hash(replicate.task.task_id, digest)
    failure = StepFailed(ReplicateStatusCause.CANNOT_REVEAL, "")
    for attempt in range(_ATTEMPTS):
        if attempt:
            await chain.wait_block(chain.head + 1, _NEXT_BLOCK_LIMIT_S)
        chain_task, contribution = await _read(replicate)
        if contribution.status is ContributionStatus.PROVED:
            replicate.complete_step(Details(receipt=await _earlier_receipt(replicate)))
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
            receipt = await _send(replicate, digest)
        except TransactionRefused as refused:
            failure = StepFailed(ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID, str(refused))
            continue
        replicate.complete_step(Details(receipt=receipt))
        return
    if not await wait_if_consensus_orphaned(replicate, Stage.AWAIT_REVEAL):
        raise failure


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


async def _read(replicate: Replicate) -> tuple[ChainTask, Contribution]:
    task_id, chain = replicate.task.task_id, replicate.context.chain
    return await asyncio.gather(chain.task(task_id), chain.contribution(task_id))


async def _earlier_receipt(replicate: Replicate) -> Receipt:
    """Return the receipt of the reveal that is on chain; the head block if its transaction is unknown."""
    sent = replicate.record.reveal_tx
    if sent is not None:
        try:
            receipt = await replicate.context.chain.resume(sent, replicate.save_reveal_tx)
        except TransactionRefused:
            receipt = None
        if receipt is not None:
            return receipt
    return Receipt(replicate.context.chain.head, sent.hash if sent else "")


async def _send(replicate: Replicate, digest: bytes) -> Receipt:
    chain = replicate.context.chain
    try:
        if replicate.record.reveal_tx is not None:
            receipt = await _resume(replicate, replicate.record.reveal_tx)
            if receipt is not None:
                return receipt
        return await chain.reveal(replicate.task.task_id, digest, replicate.save_reveal_tx)
    except WalletOutOfGas as empty:
        raise StepFailed(ReplicateStatusCause.OUT_OF_GAS, str(empty)) from empty


async def _resume(replicate: Replicate, sent: SentTransaction) -> Receipt | None:
    try:
        return await replicate.context.chain.resume(sent, replicate.save_reveal_tx)
    except TransactionRefused as refused:
        replicate.log.warning("reveal.refused", transaction=sent.hash, error=str(refused))
        return None
