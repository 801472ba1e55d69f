"""Encrypted values: each is encrypted with its own data key, and that key with a key of the key file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value; both parts are nonce ‖ ciphertext ‖ tag of AES-256-GCM."""

    key_id: str
    """The id of the key in the key file that encrypts `data_key`."""
    data_key: bytes
    content: bytes
