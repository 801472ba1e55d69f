"""Encrypted values: a value is encrypted with a data key of its own, and that key with a key of the key file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value. Both parts are nonce ‖ ciphertext ‖ tag of AES-256-GCM."""

    key_id: str
    """Id of the key in the key file that encrypts `data_key`."""
    data_key: bytes
    content: bytes
