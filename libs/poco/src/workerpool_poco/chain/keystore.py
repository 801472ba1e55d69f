"""Key stores: private keys encrypted with a password (Web3 Secret Storage, version 3).

The key is derived with scrypt or PBKDF2 (HMAC-SHA-256), the cipher is AES-128-CTR. This needs the standard library
and pycryptodome only: the usual package costs each process that opens a wallet half a second of imports.
"""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from Crypto.Cipher import AES

from workerpool_poco.errors import InvalidId, PocoError
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import Address, from_hex

STANDARD_SCRYPT_N = 1 << 18
LIGHT_SCRYPT_N = 1 << 12
_SCRYPT_R, _SCRYPT_P, _KEY_BYTES = 8, 1, 32
_VERSION = 3
_LARGEST_SCRYPT_MEMORY = (1 << 31) - 1


class KeystoreError(PocoError):
    """The content is no key store of version 3, or uses an algorithm that is not supported."""


class WrongPassword(PocoError):
    """The password does not match the key store's MAC."""


def decrypt(keystore: Mapping[str, Any], password: bytes) -> bytes:
    """Return the private key in a key store; raises `KeystoreError` or `WrongPassword`.

    A standard key store takes about a second of CPU.
    """
    try:
        crypto = {name.lower(): value for name, value in keystore.items()}
        if crypto["version"] != _VERSION:
            raise KeystoreError(f"key stores of version {crypto['version']} are not supported")
        section = crypto["crypto"]
        if section["cipher"] != "aes-128-ctr":
            raise KeystoreError(f"the cipher {section['cipher']} is not supported")
        key = _derive(password, section["kdf"], section["kdfparams"])
        text = from_hex(section["ciphertext"])
        if not secrets.compare_digest(keccak(key[16:32] + text), from_hex(section["mac"])):
            raise WrongPassword("the password does not match the key store")
        private_key: bytes = _aes(key, from_hex(section["cipherparams"]["iv"])).decrypt(text)
        return private_key
    except (AttributeError, KeyError, TypeError, OverflowError, InvalidId, ValueError) as cause:
        raise KeystoreError("a field of the key store is missing or malformed") from cause


def encrypt(
    key: bytes, address: Address, password: bytes, *, scrypt_n: int = STANDARD_SCRYPT_N
) -> dict[str, Any]:
    """Return a key store that holds a private key; `scrypt_n` is scrypt's cost, a power of two."""
    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    kdfparams = {"dklen": _KEY_BYTES, "n": scrypt_n, "r": _SCRYPT_R, "p": _SCRYPT_P, "salt": salt.hex()}
    derived = _derive(password, "scrypt", kdfparams)
    text = _aes(derived, iv).encrypt(key)
    return {
        "address": address.removeprefix("0x").lower(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": text.hex(),
            "kdf": "scrypt",
            "kdfparams": kdfparams,
            "mac": keccak(derived[16:32] + text).hex(),
        },
        "id": str(uuid.uuid4()),
        "version": _VERSION,
    }


def _derive(password: bytes, kdf: str, params: Mapping[str, Any]) -> bytes:
    salt, length = from_hex(params["salt"]), int(params["dklen"])
    if length < _KEY_BYTES:
        raise KeystoreError(f"the key store derives {length} bytes; {_KEY_BYTES} are needed")
    if kdf == "scrypt":
        n, r, p = int(params["n"]), int(params["r"]), int(params["p"])
        return _scrypt(password, salt, n, r, p, length)
    if kdf == "pbkdf2" and params["prf"] == "hmac-sha256":
        return hashlib.pbkdf2_hmac("sha256", password, salt, int(params["c"]), length)
    raise KeystoreError(f"the key derivation {kdf} is not supported")


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int, length: int) -> bytes:
    if n < 1 << min(16 * r, 64):
        memory = min(128 * r * (n + p + 2) + (1 << 20), _LARGEST_SCRYPT_MEMORY)
        return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)
    # OpenSSL refuses costs outside RFC 7914, which other tools (eth-account) write.
    from Crypto.Protocol.KDF import scrypt

    derived: bytes = scrypt(password, salt, length, n, r, p)  # type: ignore[assignment,arg-type]
    return derived


def _aes(key: bytes, iv: bytes) -> Any:
    return AES.new(key[:16], AES.MODE_CTR, initial_value=iv, nonce=b"")
