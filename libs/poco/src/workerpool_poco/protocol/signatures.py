"""secp256k1 signatures as the contracts verify them: EIP-191 prefix, 65 or 64 bytes, recovery."""

import coincurve

from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import Address, address

_EIP191_BYTES32 = b"\x19Ethereum Signed Message:\n32"
_Y_PARITY_BIT = 1 << 255


def eip191_hash(message: bytes) -> bytes:
    """Return the hash that a wallet signs for a 32-byte message (EIP-191, version 0x45)."""
    if len(message) != 32:
        raise InvalidSignature(f"a message to prefix has 32 bytes, not {len(message)}")
    return keccak(_EIP191_BYTES32 + message)


def split_signature(signature: bytes) -> tuple[bytes, int]:
    """Return `(r ‖ s, recovery id)` of a 65-byte (r, s, v) or a 64-byte EIP-2098 signature.

    `v` may be 27/28 or 0/1. Raises `InvalidSignature` on any other shape.
    """
    if len(signature) == 65:
        parity = signature[64] - 27 if signature[64] >= 27 else signature[64]
        compact = signature[:64]
    elif len(signature) == 64:
        y_and_s = int.from_bytes(signature[32:], "big")
        parity = y_and_s >> 255
        compact = signature[:32] + (y_and_s & ~_Y_PARITY_BIT).to_bytes(32, "big")
    else:
        raise InvalidSignature(f"a signature has 65 or 64 bytes, not {len(signature)}")
    if parity not in (0, 1):
        raise InvalidSignature(f"the recovery byte of a signature is 27 or 28, not {signature[64]}")
    return compact, parity


def compact_signature(signature: bytes) -> bytes:
    """Return the 64-byte form of a signature (EIP-2098)."""
    compact, parity = split_signature(signature)
    y_and_s = int.from_bytes(compact[32:], "big") | (parity << 255)
    return compact[:32] + y_and_s.to_bytes(32, "big")


def recover_address(digest: bytes, signature: bytes) -> Address:
    """Return the address that signed the 32-byte `digest`; raises `InvalidSignature`."""
    compact, parity = split_signature(signature)
    try:
        key = coincurve.PublicKey.from_signature_and_message(compact + bytes([parity]), digest, hasher=None)
    except Exception as cause:  # coincurve raises bare Exception and ValueError
        raise InvalidSignature("no public key can be recovered from the signature") from cause
    return public_key_address(key)


def public_key_address(key: coincurve.PublicKey) -> Address:
    """Return the account address of a public key: the last 20 bytes of its keccak hash."""
    return address(keccak(key.format(compressed=False)[1:])[12:])
