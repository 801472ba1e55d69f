"""The rules for issuing a token, in the order of the protocol, each with its own refusal (worker spec C)."""

from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    bound_authorization_hash,
    recover_signer,
)
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address
from workerpool_poco.protocol.model import ChainTask, Deal
from workerpool_poco.protocol.signatures import eip191_hash, recover_address
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_poco.protocol.tags import requires_enclave

from workerpool_result_proxy.errors import (
    DealNotOnChain,
    EmptyAuthorization,
    EnclaveMismatch,
    FinalDeadlineReached,
    NotSelfSigned,
    NotSignedByPoolOwner,
    TaskNotOnChain,
    WrongPool,
)


def check_request(
    authorization: WorkerpoolAuthorization, worker_signature: bytes, *, audience: str, nonce: bytes
) -> None:
    """Check, without the chain, that the worker signed the request for this proxy and sent a complete authorization."""
    signed = bound_authorization_hash(authorization, audience, nonce)
    _check_signed(authorization, signed, worker_signature, "the hash of authorization, audience and nonce")


def check_older_request(authorization: WorkerpoolAuthorization, worker_signature: bytes) -> None:
    """Check, without the chain, a request of an older client, which signs the hash of the authorization alone.

    Another service could replay that signature here. It only permits uploading the result that the worker revealed on
    chain.
    """
    _check_signed(
        authorization, authorization.hash, worker_signature, "the hash of wallet, task and enclave challenge"
    )


def _check_signed(
    authorization: WorkerpoolAuthorization, signed: bytes, worker_signature: bytes, what: str
) -> None:
    try:
        signer = recover_address(eip191_hash(signed), worker_signature)
    except InvalidSignature:
        signer = ZERO_ADDRESS
    if signer != authorization.worker:
        raise NotSelfSigned(
            f"the request is not signed by its worker; sign {what} with the key of {authorization.worker}"
        )
    if authorization.worker == ZERO_ADDRESS:
        raise EmptyAuthorization("the authorization has no worker wallet; send the one of the assignment")
    if not int(authorization.task_id, 16):
        raise EmptyAuthorization("the authorization has no task; send the one of the assignment")
    if not any(authorization.signature):
        raise EmptyAuthorization("the authorization has no signature; send the one of the assignment")


def check_on_chain(
    authorization: WorkerpoolAuthorization,
    task: ChainTask,
    deal: Deal,
    *,
    now: float,
    only_pool: Address | None,
) -> None:
    """Check an authorization against the chain; `now` in Unix seconds, `only_pool` restricts to one workerpool.

    A task or deal that is not on chain reads as zeros. The signer must be the pool owner recorded in the deal, because
    the contract accepts only that signature (IexecPoco2 `contribute`).
    """
    if task.status is ChainTaskStatus.UNSET:
        raise TaskNotOnChain(
            "this task is not on chain; check that it is initialized and that this is its chain"
        )
    if now >= task.final_deadline:
        raise FinalDeadlineReached("the final deadline of this task has passed")
    if not deal.exists:
        raise DealNotOnChain("the deal of this task is not on chain")
    if only_pool is not None and deal.workerpool.pointer != only_pool:
        raise WrongPool(f"this proxy serves only the workerpool {only_pool}")
    if (authorization.enclave_challenge != ZERO_ADDRESS) != requires_enclave(deal.tag):
        raise EnclaveMismatch("the enclave challenge of the authorization does not match the tag of the deal")
    try:
        signer = recover_signer(authorization)
    except InvalidSignature:
        signer = ZERO_ADDRESS
    if signer != deal.workerpool.owner:
        raise NotSignedByPoolOwner("the authorization is not signed by the owner of the deal's workerpool")
