"""Keccak-256, the hash of Ethereum."""

from Crypto.Hash import keccak as _keccak


def keccak(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 of some bytes."""
    return _keccak.new(data=data, digest_bits=256).digest()
