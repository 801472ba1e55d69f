"""The rules for a session, in the order of the protocol, each with its own refusal (worker spec D)."""

from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    bound_authorization_hash,
    recover_signer,
)
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address
from workerpool_poco.protocol.model import ChainTask, Deal

from workerpool_sms.domain.challenges import check_task
from workerpool_sms.domain.frameworks import Framework
from workerpool_sms.domain.secrets import signer_of
from workerpool_sms.errors import (
    EmptyAuthorization,
    NotSelfSigned,
    NotSignedByPoolOwner,
    SignatureTokensMissing,
)


def check_request(
    authorization: WorkerpoolAuthorization, worker_signature: bytes, *, audience: str, nonce: bytes
) -> None:
    """Check, without the chain, that the worker signed the request for this SMS and sent a complete authorization."""
    if authorization.worker == ZERO_ADDRESS:
        raise EmptyAuthorization("the authorization has no worker wallet; send that of the scheduler")
    if not int(authorization.task_id, 16):
        raise EmptyAuthorization("the authorization has no task; send that of the scheduler")
    if not any(authorization.signature):
        raise EmptyAuthorization("the authorization has no signature; send that of the scheduler")
    if authorization.enclave_challenge == ZERO_ADDRESS:
        raise SignatureTokensMissing(
            "the authorization has no enclave challenge; send the scheduler's authorization for a TEE task",
            reason="GET_SIGNATURE_TOKENS_FAILED_EMPTY_PUBLIC_ENCLAVE_CHALLENGE",
        )
    signed = bound_authorization_hash(authorization, audience, nonce)
    if signer_of(signed, worker_signature) != authorization.worker:
        raise NotSelfSigned(
            "the request is not signed by its worker; sign the hash of authorization, audience and nonce with the key "
            f"of {authorization.worker}"
        )


def check_on_chain(
    authorization: WorkerpoolAuthorization, task: ChainTask, deal: Deal, framework: Framework, *, now: float
) -> None:
    """Check an authorization against the chain; `now` in Unix seconds.

    The signer must be the pool owner recorded in the deal, because the contract accepts only that signature (IexecPoco2
    `contribute`).
    """
    check_task(task, deal, framework, now=now)
    try:
        signer: Address | None = recover_signer(authorization)
    except InvalidSignature:
        signer = None
    if signer != deal.workerpool.owner:
        raise NotSignedByPoolOwner(
            "the authorization is not signed by the owner of the deal's workerpool; send that of the scheduler"
        )
