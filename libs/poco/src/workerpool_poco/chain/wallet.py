"""Wallets: a private key, its address, and the four kinds of signature the protocol needs."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import coincurve
import rlp  # type: ignore[import-untyped]
from eth_utils.crypto import keccak

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Address, address_bytes, from_hex
from workerpool_poco.protocol.signatures import eip191_hash, public_key_address

_LIGHT_SCRYPT_N = 1 << 12
_STANDARD_SCRYPT_N = 1 << 18


class WalletError(PocoError):
    """A wallet cannot be opened or stored."""


class WalletFileMissing(WalletError):
    """There is no file at the wallet's path, or it cannot be read."""


class WalletFileInvalid(WalletError):
    """The wallet file is not a JSON key store (version 3)."""


class WrongWalletPassword(WalletError):
    """The password does not open the wallet file."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction to sign: prices and ``value`` in wei; ``to`` None creates a contract."""

    nonce: int
    gas_price: int
    gas: int
    to: Address | None
    value: int
    data: bytes
    chain_id: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A signed transaction, ready to be journaled and then sent."""

    nonce: int
    raw: bytes
    hash: bytes
    transaction: Transaction = field(repr=False)


class Wallet:
    """A private key held in memory. Neither ``repr`` nor any error shows it."""

    __slots__ = ("_key", "address")

    def __init__(self, key: coincurve.PrivateKey) -> None:
        self._key = key
        self.address: Address = public_key_address(key.public_key)
        """The checksummed address of the account."""

    def __repr__(self) -> str:
        return f"Wallet({self.address})"

    @classmethod
    def from_key(cls, key: bytes | str) -> Self:
        """Make a wallet of a 32-byte private key, as bytes or hexadecimal."""
        raw = from_hex(key) if isinstance(key, str) else key
        if len(raw) != 32:
            raise WalletError(f"a private key has 32 bytes, not {len(raw)}")
        try:
            return cls(coincurve.PrivateKey(raw))
        except ValueError as cause:
            raise WalletError("not a private key of secp256k1") from cause

    @classmethod
    def create(cls) -> Self:
        """Make a new wallet with a random key."""
        return cls(coincurve.PrivateKey())

    @classmethod
    def from_keystore(cls, path: str | Path, password: str) -> Self:
        """Open a JSON key store file (Web3 Secret Storage, version 3; scrypt or pbkdf2).

        Takes about a second of CPU for a standard key store. Raises
        :class:`WalletFileMissing`, :class:`WalletFileInvalid` or
        :class:`WrongWalletPassword`.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as cause:
            raise WalletFileInvalid(f"the wallet file is not a JSON text: {path}") from cause
        except OSError as cause:
            raise WalletFileMissing(f"the wallet file cannot be read: {path} ({cause.strerror})") from cause
        try:
            content = json.loads(text)
        except ValueError as cause:
            raise WalletFileInvalid(f"the wallet file is not a JSON text: {path}") from cause
        if not isinstance(content, dict) or not ({"crypto", "Crypto"} & content.keys()):
            raise WalletFileInvalid(f"the wallet file is not a key store of version 3: {path}")
        try:
            from eth_keyfile import keyfile  # half a second of imports, for key stores only

            return cls.from_key(keyfile.decode_keyfile_json(content, password.encode()))
        except ValueError as cause:
            if "MAC mismatch" in str(cause):
                raise WrongWalletPassword(f"the password does not open the wallet {path}") from None
            raise WalletFileInvalid(f"the wallet file is not a usable key store: {path}") from cause
        except (KeyError, TypeError, NotImplementedError) as cause:
            raise WalletFileInvalid(f"the wallet file is not a usable key store: {path}") from cause

    def write_keystore(self, path: str | Path, password: str, *, light: bool = False) -> None:
        """Store the wallet as a JSON key store file (scrypt), readable by the owner only.

        ``light`` makes a key store that opens in milliseconds, for tests and demos.
        """
        from eth_keyfile import keyfile

        content = keyfile.create_keyfile_json(
            self._key.secret,
            password.encode(),
            kdf="scrypt",
            iterations=_LIGHT_SCRYPT_N if light else _STANDARD_SCRYPT_N,
        )
        target = Path(path)
        target.touch(mode=0o600, exist_ok=True)
        target.chmod(0o600)
        target.write_text(json.dumps(content), encoding="utf-8")

    def sign_hash(self, digest: bytes) -> bytes:
        """Sign 32 bytes as they are; returns r ‖ s ‖ v (65 bytes, v 27 or 28)."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])

    def sign_message_hash(self, message: bytes) -> bytes:
        """Sign 32 bytes wrapped by EIP-191, as ``personal_sign`` does; returns 65 bytes."""
        return self.sign_hash(eip191_hash(message))

    def sign_transaction(self, transaction: Transaction) -> SignedTransaction:
        """Sign a legacy transaction bound to its chain (EIP-155).

        Legacy transactions are valid on every chain the protocol runs on, those with
        and those without a base fee, and a chain may ask for a price of 0.
        """
        fields = [
            _integer(transaction.nonce),
            _integer(transaction.gas_price),
            _integer(transaction.gas),
            address_bytes(transaction.to) if transaction.to else b"",
            _integer(transaction.value),
            transaction.data,
        ]
        digest = keccak(rlp.encode([*fields, _integer(transaction.chain_id), b"", b""]))
        signature = self._key.sign_recoverable(digest, hasher=None)
        v = transaction.chain_id * 2 + 35 + signature[64]
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
        raw = rlp.encode([*fields, _integer(v), _integer(r), _integer(s)])
        return SignedTransaction(transaction.nonce, raw, keccak(raw), transaction)


def _integer(value: int) -> bytes:
    """Encode an integer as RLP wants it: big-endian, no leading zeros, 0 as nothing."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
