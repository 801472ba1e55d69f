"""Messages of a worker that uploads a result."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, bound_authorization_hash
from workerpool_poco.protocol.ids import TaskId, bytes32, to_hex
from workerpool_protocol.poco.v1 import authorization_pb2
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

CHUNK = 1 << 20


@dataclass(frozen=True)
class RevealedTask:
    """A task in which `worker` revealed the `digest` of the result in `archive`."""

    task_id: TaskId
    worker: Wallet
    authorization: WorkerpoolAuthorization
    digest: bytes
    archive: bytes


def token_request(
    authorization: WorkerpoolAuthorization, signer: Wallet, audience: str, nonce: str
) -> pb.IssueTokenRequest:
    signed = bound_authorization_hash(authorization, audience, bytes32(nonce))
    return _token_request(authorization, signer, signed, audience=audience, nonce=nonce)


def token_request_without_challenge(
    authorization: WorkerpoolAuthorization, signer: Wallet
) -> pb.IssueTokenRequest:
    """Return a request of a worker of release 0.1.0."""
    return _token_request(authorization, signer, authorization.hash)


def _token_request(
    authorization: WorkerpoolAuthorization, signer: Wallet, signed: bytes, **challenge: str
) -> pb.IssueTokenRequest:
    return pb.IssueTokenRequest(
        authorization=authorization_pb2.WorkerpoolAuthorization(
            task_id=authorization.task_id,
            deal_id=authorization.deal_id,
            task_index=authorization.task_index,
            worker_wallet=authorization.worker,
            enclave_challenge=authorization.enclave_challenge,
            signature=to_hex(authorization.signature),
        ),
        worker_signature=to_hex(signer.sign_message_hash(signed)),
        **challenge,
    )


def header_of(
    task: RevealedTask,
    archive: bytes,
    *,
    size: int | None = None,
    sha256: bytes | None = None,
    digest: bytes | None = None,
) -> pb.UploadRequest:
    return pb.UploadRequest(
        header=pb.UploadHeader(
            task_id=task.task_id,
            size=len(archive) if size is None else size,
            sha256=to_hex(sha256 or hashlib.sha256(archive).digest()),
            result_digest=to_hex(digest or task.digest),
        )
    )


def messages(task: RevealedTask, archive: bytes | None = None, **declared: Any) -> Iterator[pb.UploadRequest]:
    archive = task.archive if archive is None else archive
    yield header_of(task, archive, **declared)
    for start in range(0, len(archive), CHUNK):
        yield pb.UploadRequest(chunk=archive[start : start + CHUNK])
