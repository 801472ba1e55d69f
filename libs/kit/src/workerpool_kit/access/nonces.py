"""Nonces without memory: a nonce carries its expiry and a MAC over its subject and expiry."""

import hmac
from collections.abc import Sequence

_EXPIRY_BYTES = 8
_MAC_BYTES = 24


class NonceRefused(ValueError):
    """The nonce is from another server or for another subject, or has expired; the message is a clause."""


def make_nonce(secret: bytes, subject: bytes, *, expires_at: int) -> bytes:
    """Return a nonce of 32 bytes for a subject, which has a fixed length; `expires_at` in Unix seconds."""
    expiry = expires_at.to_bytes(_EXPIRY_BYTES, "big")
    return expiry + hmac.digest(secret, subject + expiry, "sha256")[:_MAC_BYTES]


def check_nonce(secrets: Sequence[bytes], nonce: bytes, subject: bytes, *, now: float) -> None:
    """Raise NonceRefused unless one of the secrets made the nonce for the subject and it is valid at `now`."""
    expires_at = int.from_bytes(nonce[:_EXPIRY_BYTES], "big")
    made = [make_nonce(secret, subject, expires_at=expires_at) for secret in secrets]
    # Compare every candidate: the duration must not reveal which key made the nonce.
    if not any([hmac.compare_digest(nonce, candidate) for candidate in made]):
        raise NonceRefused("this nonce was made elsewhere, or for another worker or task")
    if now >= expires_at:
        raise NonceRefused("this nonce has expired")
