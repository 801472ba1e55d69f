"""Workerpool authorizations: the scheduler's signed word that a worker may contribute to a task."""

from dataclasses import dataclass
from typing import Protocol

from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import (
    ZERO_ADDRESS,
    Address,
    DealId,
    TaskId,
    address,
    address_bytes,
    bytes32,
)
from workerpool_poco.protocol.signatures import eip191_hash, recover_address


class MessageSigner(Protocol):
    """What signs an authorization: a wallet."""

    def sign_message_hash(self, message: bytes) -> bytes:
        """Sign 32 bytes wrapped by EIP-191; returns 65 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerpoolAuthorization:
    """A signed permission, as ``contribute`` expects it in ``authorizationSign``.

    ``deal_id`` and ``task_index`` travel along for the worker's convenience but are
    not signed; ``task_id`` is derived from them and is. ``enclave_challenge`` is the
    zero address for a standard task.
    """

    worker: Address
    task_id: TaskId
    enclave_challenge: Address
    deal_id: DealId
    task_index: int
    signature: bytes

    @property
    def hash(self) -> bytes:
        """The 32 bytes that were wrapped by EIP-191 and signed."""
        return authorization_hash(self.worker, self.task_id, self.enclave_challenge)


def authorization_hash(worker: Address, task_id: TaskId, enclave_challenge: Address = ZERO_ADDRESS) -> bytes:
    """Return ``keccak256(worker ‖ taskid ‖ enclaveChallenge)`` (contract: contribute)."""
    return keccak(address_bytes(worker) + bytes32(task_id) + address_bytes(enclave_challenge))


def sms_challenge_hash(task_id: TaskId) -> bytes:
    """Return ``keccak256(taskid)``: an authorization without worker and challenge.

    Signed by the scheduler, it lets a secret management service hand out the
    enclave challenge of the task.
    """
    return keccak(bytes32(task_id))


def sign_authorization(
    wallet: MessageSigner,
    *,
    worker: Address,
    task_id: TaskId,
    deal_id: DealId,
    task_index: int,
    enclave_challenge: Address = ZERO_ADDRESS,
) -> WorkerpoolAuthorization:
    """Sign an authorization with the wallet of the workerpool's owner."""
    digest = authorization_hash(worker, task_id, enclave_challenge)
    return WorkerpoolAuthorization(
        worker=address(worker),
        task_id=task_id,
        enclave_challenge=address(enclave_challenge),
        deal_id=deal_id,
        task_index=task_index,
        signature=wallet.sign_message_hash(digest),
    )


def recover_signer(authorization: WorkerpoolAuthorization) -> Address:
    """Return who signed an authorization; raises ``InvalidSignature`` when it is malformed.

    The signature may have 65 bytes or the 64 bytes of EIP-2098. The caller compares
    the answer with the on-chain owner of the workerpool.
    """
    return recover_address(eip191_hash(authorization.hash), authorization.signature)
