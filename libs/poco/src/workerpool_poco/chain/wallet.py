"""Wallets: a private key, its address, and the signatures that the protocol needs."""

import json
from pathlib import Path
from typing import Self

import coincurve

from workerpool_poco.chain.signed_transactions import (
    SignedTransaction,
    Transaction,
    signed_with,
    signing_hash,
)
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import Address, from_hex
from workerpool_poco.protocol.signatures import eip191_hash, public_key_address

__all__ = [
    "SignedTransaction",
    "Transaction",
    "Wallet",
    "WalletError",
    "WalletFileInvalid",
    "WalletFileMissing",
    "WrongWalletPassword",
]


class WalletError(PocoError):
    """A wallet cannot be opened or stored."""


class WalletFileMissing(WalletError):
    """The path holds no file, or the file cannot be read."""


class WalletFileInvalid(WalletError):
    """The wallet file is not a JSON key store (version 3)."""


class WrongWalletPassword(WalletError):
    """The password does not open the wallet file."""


class Wallet:
    """A private key held in memory. Neither `repr` nor any error shows it."""

    __slots__ = ("_key", "address")

    def __init__(self, key: coincurve.PrivateKey) -> None:
        self._key = key
        self.address: Address = public_key_address(key.public_key)
        """The checksummed address of the account."""

    def __repr__(self) -> str:
        return f"Wallet({self.address})"

    @classmethod
    def from_key(cls, key: bytes | str) -> Self:
        """Return the wallet of a 32-byte private key, given as bytes or hexadecimal; raises `WalletError`."""
        raw = from_hex(key) if isinstance(key, str) else key
        if len(raw) != 32:
            raise WalletError(f"a private key has 32 bytes, not {len(raw)}")
        try:
            return cls(coincurve.PrivateKey(raw))
        except ValueError as cause:
            raise WalletError("the bytes are not a private key of secp256k1") from cause

    @classmethod
    def create(cls) -> Self:
        """Return a new wallet with a random key."""
        return cls(coincurve.PrivateKey())

    @classmethod
    def from_keystore(cls, path: str | Path, password: str) -> Self:
        """Open a JSON key store file (Web3 Secret Storage, version 3; scrypt or PBKDF2).

        A standard key store takes about a second of CPU. Raises `WalletFileMissing`, `WalletFileInvalid` or
        `WrongWalletPassword`.
        """
        from workerpool_poco.chain import keystore

        try:
            content = loads_bounded(Path(path).read_text(encoding="utf-8"))
        except OSError as cause:
            raise WalletFileMissing(f"the wallet file cannot be read: {path} ({cause.strerror})") from cause
        except ValueError as cause:
            raise WalletFileInvalid(f"the wallet file is not JSON text: {path}") from cause
        if not isinstance(content, dict) or not ({"crypto", "Crypto"} & content.keys()):
            raise WalletFileInvalid(f"the wallet file is not a key store of version 3: {path}")
        try:
            return cls.from_key(keystore.decrypt(content, password.encode()))
        except keystore.WrongPassword:
            raise WrongWalletPassword(f"the password does not open the wallet {path}") from None
        except (keystore.KeystoreError, WalletError) as cause:
            raise WalletFileInvalid(f"the wallet file is not a usable key store: {path}: {cause}") from cause

    def write_keystore(self, path: str | Path, password: str, *, light: bool = False) -> None:
        """Store the wallet as a JSON key store file (scrypt), readable by the owner only.

        `light` makes a key store that opens in milliseconds, for tests and demos.
        """
        from workerpool_poco.chain import keystore

        cost = keystore.LIGHT_SCRYPT_N if light else keystore.STANDARD_SCRYPT_N
        content = keystore.encrypt(self._key.secret, self.address, password.encode(), scrypt_n=cost)
        target = Path(path)
        target.touch(mode=0o600, exist_ok=True)
        target.chmod(0o600)
        target.write_text(json.dumps(content), encoding="utf-8")

    def sign_hash(self, digest: bytes) -> bytes:
        """Sign 32 bytes without a prefix; return r ‖ s ‖ v (65 bytes, v 27 or 28)."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])

    def sign_message_hash(self, message: bytes) -> bytes:
        """Sign 32 bytes wrapped by EIP-191, as `personal_sign` does; return 65 bytes."""
        return self.sign_hash(eip191_hash(message))

    def sign_transaction(self, transaction: Transaction) -> SignedTransaction:
        """Sign a transaction bound to its chain: of type 2 with a tip (EIP-1559), else a legacy one (EIP-155).

        Legacy transactions are valid on every chain the protocol runs on, with and without a base fee, and a chain
        may accept a price of 0.
        """
        signature = self._key.sign_recoverable(signing_hash(transaction), hasher=None)
        return signed_with(transaction, signature)
