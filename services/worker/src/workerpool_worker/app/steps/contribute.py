"""CONTRIBUTE: commit to the result on chain, exactly once."""

from workerpool_poco.chain.transaction_errors import OutOfGas
from workerpool_poco.protocol.ids import from_hex
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatusCause

from workerpool_worker.app.ports import TransactionRefused
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.prechecks import check_may_contribute
from workerpool_worker.domain.prechecks import CONTRIBUTE_GAS
from workerpool_worker.domain.record import Result, SentTransaction
from workerpool_worker.domain.updates import Details, Receipt
from workerpool_worker.errors import StepFailed


async def contribute(run: Replicate) -> None:
    """Send the contribution, or find the one that was sent before the worker died."""
    receipt = await _already_done(run)
    if receipt is None:
        await check_may_contribute(run)
        result = _result(run)
        if not await run.office.chain.can_pay(CONTRIBUTE_GAS):
            raise StepFailed(
                ReplicateStatusCause.OUT_OF_GAS,
                f"the wallet {run.office.wallet_address} cannot pay the gas: send it coins",
            )
        receipt = await _send(run, from_hex(result.digest))
    run.done(Details(receipt=receipt))


def _result(run: Replicate) -> Result:
    result = run.record.result
    if result is None or not result.digest:
        # The protocol has one cause here; what the app did wrong goes into the message.
        reason = (
            f"{result.cause.value}: {result.message}" if result and result.cause else "there is no result"
        )
        raise StepFailed(ReplicateStatusCause.DETERMINISM_HASH_NOT_FOUND, reason)
    return result


async def _already_done(run: Replicate) -> Receipt | None:
    """Return the receipt of a contribution that this replicate sent earlier; None when there is none on chain."""
    sent = run.record.contribute_tx
    if sent is None:
        return None
    return await _resume(run, sent) or await _standing(run)


async def _standing(run: Replicate) -> Receipt | None:
    """Return a receipt for the contribution that stands on chain, whichever transaction of this replicate made it."""
    sent = run.record.contribute_tx
    contribution = await run.office.chain.contribution(run.task.task_id)
    if sent is None or contribution.status is ContributionStatus.UNSET:
        return None
    return Receipt(run.office.chain.head, sent.hash)


async def _resume(run: Replicate, sent: SentTransaction) -> Receipt | None:
    try:
        return await run.office.chain.resume(sent, run.keep_contribution)
    except TransactionRefused as refused:
        run.log.warning("contribution.earlier_one_failed", error=str(refused))
        return None


async def _send(run: Replicate, digest: bytes) -> Receipt:
    task_id = run.task.task_id
    try:
        return await run.office.chain.contribute(
            run.assignment.authorization,
            result_hash(task_id, digest),
            result_seal(run.office.wallet_address, task_id, digest),
            run.keep_contribution,
        )
    except OutOfGas as empty:
        raise StepFailed(ReplicateStatusCause.OUT_OF_GAS, str(empty)) from empty
    except TransactionRefused as refused:
        # Two nodes behind one address may disagree about what was mined.
        if (standing := await _standing(run)) is not None:
            return standing
        # The usual reason: others reached consensus first. The pre-checks then name it; else it stays unexplained.
        await check_may_contribute(run)
        raise StepFailed(ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID, str(refused)) from refused
