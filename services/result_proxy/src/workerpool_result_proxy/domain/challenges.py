"""Stateless challenges: a nonce carries its expiry and a MAC over its purpose.

Every proxy with the same signing keys accepts the challenges of the others.
"""

from collections.abc import Iterator, Sequence

from workerpool_kit.access import nonces
from workerpool_poco.protocol.ids import Address, TaskId, address_bytes, bytes32

from workerpool_result_proxy.errors import ChallengeInvalid

CHALLENGE_LIFETIME_S = 60
"""Seconds for which a nonce is accepted."""
LOGIN_LIFETIME_S = 3600
"""Seconds for which a login challenge is accepted, as in the published services."""
_LOGIN_STEP_S = 300
"""Login texts expire at multiples of this, so that the few valid ones can be computed instead of stored."""
_LOGIN_PURPOSE = b"login"


def make_nonce(secret: bytes, worker: Address, task_id: TaskId, *, expires_at: int) -> bytes:
    """Return a nonce of 32 bytes; `expires_at` in Unix seconds."""
    return nonces.make_nonce(secret, address_bytes(worker) + bytes32(task_id), expires_at=expires_at)


def check_nonce(
    secrets: Sequence[bytes], nonce: bytes, worker: Address, task_id: TaskId, *, now: float
) -> None:
    """Raise `ChallengeInvalid` unless one of the secrets made the nonce for this worker and task, and it is valid."""
    try:
        nonces.check_nonce(secrets, nonce, address_bytes(worker) + bytes32(task_id), now=now)
    except nonces.NonceRefused as refused:
        raise ChallengeInvalid(f"{refused}; request a new challenge") from None


def login_expiry(now: float) -> int:
    """Return the expiry of a login text issued now, in Unix seconds."""
    return (int(now) // _LOGIN_STEP_S + 1) * _LOGIN_STEP_S + LOGIN_LIFETIME_S


def make_login_text(secret: bytes, wallet: Address, *, expires_at: int) -> str:
    """Return the text that a requester signs to log in; `expires_at` in Unix seconds."""
    return nonces.make_nonce(secret, _LOGIN_PURPOSE + address_bytes(wallet), expires_at=expires_at).hex()


def login_texts(secrets: Sequence[bytes], wallet: Address, *, now: float) -> Iterator[str]:
    """Yield every valid login text of a wallet, the newest first."""
    for expires_at in range(login_expiry(now), int(now), -_LOGIN_STEP_S):
        for secret in secrets:
            yield make_login_text(secret, wallet, expires_at=expires_at)
