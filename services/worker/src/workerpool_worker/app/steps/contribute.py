"""CONTRIBUTE: send the contribution of the result to the hub, exactly once."""

from workerpool_poco.protocol.ids import from_hex
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.prechecks import check_may_contribute
from workerpool_worker.domain.prechecks import CONTRIBUTE_GAS
from workerpool_worker.domain.record import Result
from workerpool_worker.domain.updates import Details, Receipt
from workerpool_worker.domain.wallet.transactions import TransactionKind
from workerpool_worker.errors import RevertForeseen, StepFailed, TransactionRefused

_CHECKED_S = 2.0


async def contribute(replicate: Replicate) -> None:
    """Send the contribution, or find the one that was sent before a restart."""
    receipt = await _find_sent(replicate)
    if receipt is None:
        # The gas estimate reveals a change since then; `_send` finds its cause.
        await check_may_contribute(replicate, max_age_s=_CHECKED_S)
        result = _result(replicate)
        if not await replicate.context.chain.can_pay(CONTRIBUTE_GAS):
            raise StepFailed(
                ReplicateStatusCause.OUT_OF_GAS,
                f"the wallet {replicate.context.wallet_address} cannot pay the gas; send coins to it",
            )
        receipt = await _send(replicate, from_hex(result.digest))
    replicate.complete_step(Details(receipt=receipt))


def _result(replicate: Replicate) -> Result:
    result = replicate.record.result
    if result is None or not result.digest:
        # The protocol has one cause for every missing digest, so the message carries the cause of post-compute.
        reason = (
            f"{result.cause.value}: {result.message}" if result and result.cause else "there is no result"
        )
        raise StepFailed(ReplicateStatusCause.DETERMINISM_HASH_NOT_FOUND, reason)
    return result


async def _find_sent(replicate: Replicate) -> Receipt | None:
    """Return the receipt of a contribution that was sent earlier; None if the chain has none."""
    task_id, chain = replicate.task.task_id, replicate.context.chain
    if not await chain.last_sent(TransactionKind.CONTRIBUTE, task_id):
        return None
    receipt = await chain.resume(TransactionKind.CONTRIBUTE, task_id)
    return receipt or await _find_on_chain(replicate)


async def _find_on_chain(replicate: Replicate) -> Receipt | None:
    """Return a receipt for the worker's contribution on chain, whichever of its transactions made it."""
    task_id, chain = replicate.task.task_id, replicate.context.chain
    sent = await chain.last_sent(TransactionKind.CONTRIBUTE, task_id)
    if not sent or (await chain.contribution(task_id)).status is ContributionStatus.UNSET:
        return None
    return Receipt(chain.head, sent)


async def _send(replicate: Replicate, digest: bytes, *, foresee: bool = True) -> Receipt:
    task_id = replicate.task.task_id
    try:
        return await replicate.context.chain.contribute(
            replicate.assignment.authorization,
            result_hash(task_id, digest),
            result_seal(replicate.context.wallet_address, task_id, digest),
            foresee=foresee,
        )
    except TransactionRefused as refused:
        # Several nodes may share one address: one mined the transaction, another refuses it.
        if (receipt := await _find_on_chain(replicate)) is not None:
            return receipt
        # Usually other workers reached consensus first. Then the pre-checks raise a more precise cause.
        await check_may_contribute(replicate)
        if isinstance(refused, RevertForeseen):
            # The state of the chain allows the contribution, so only a mined revert says otherwise.
            return await _send(replicate, digest, foresee=False)
        raise StepFailed(ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID, str(refused)) from refused
