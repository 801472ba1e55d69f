"""Workerpool authorizations: the scheduler's signed permission for a worker to contribute to a task."""

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Protocol
from urllib.parse import urlsplit

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

_DEFAULT_PORTS = {"http": 80, "https": 443}
_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class MessageSigner(Protocol):
    """Signs an authorization; a wallet does."""

    def sign_message_hash(self, message: bytes) -> bytes:
        """Sign 32 bytes wrapped by EIP-191; return 65 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerpoolAuthorization:
    """A signed permission; `contribute` expects the signature in `authorizationSign`.

    `task_id` is signed; `deal_id` and `task_index`, from which it is derived, are sent for convenience. The
    `enclave_challenge` of a standard task is the zero address.
    """

    worker: Address
    task_id: TaskId
    enclave_challenge: Address
    deal_id: DealId
    task_index: int
    signature: bytes

    @property
    def hash(self) -> bytes:
        """The 32 bytes that are signed with the EIP-191 prefix."""
        return authorization_hash(self.worker, self.task_id, self.enclave_challenge)


def authorization_hash(worker: Address, task_id: TaskId, enclave_challenge: Address = ZERO_ADDRESS) -> bytes:
    """Return `keccak256(worker ‖ taskid ‖ enclaveChallenge)` (contract: contribute)."""
    return keccak(address_bytes(worker) + bytes32(task_id) + address_bytes(enclave_challenge))


def audience_of(url: str) -> str:
    """Return the one spelling of a service's public base URL for which workers sign.

    Scheme and host are lower-case, an IPv6 address has its shortest form, a default port and a final slash are dropped,
    and the names of the own machine (`localhost`, `127.0.0.1`, `[::1]`) count as one. Raises ValueError for a text that
    is no http or https URL of a host, or that has credentials, a query or a fragment.
    """
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    if scheme not in _DEFAULT_PORTS or not host or parts.username or parts.query or parts.fragment:
        raise ValueError(f"expected the base URL of a service, such as https://result.example, not {url!r}")
    if ":" in host:
        host = _shortest(host)
    if host in _OWN_MACHINE:
        host = "localhost"
    if ":" in host:
        host = f"[{host}]"
    where = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{where}{parts.path.rstrip('/')}"


def _shortest(address: str) -> str:
    """Return the shortest spelling of an IPv6 address; the IPv4 address that is mapped into one."""
    found = IPv6Address(address)
    return str(found.ipv4_mapped or found)


def bound_authorization_hash(authorization: WorkerpoolAuthorization, audience: str, nonce: bytes) -> bytes:
    """Return `keccak256(authorizationHash ‖ keccak256(audience) ‖ nonce)`, which a worker signs for one service.

    The audience and the nonce of 32 bytes are from the service's challenge, so no other service accepts the signature.
    """
    return keccak(authorization.hash + keccak(audience.encode()) + bytes32(nonce))


def sms_challenge_hash(task_id: TaskId) -> bytes:
    """Return `keccak256(taskid)`, which the scheduler signs to get the enclave challenge of a task.

    A secret management service hands the challenge out for such a signature only.
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
    """Return an authorization signed with the wallet of the workerpool's owner."""
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
    """Return the address that signed an authorization; raises `InvalidSignature` when it is malformed.

    The signature has 65 bytes, or the 64 bytes of EIP-2098. The caller compares the address with the workerpool's owner
    on chain.
    """
    return recover_address(eip191_hash(authorization.hash), authorization.signature)
