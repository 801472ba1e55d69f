"""Secrets: their names and owners, the hash that an owner signs, and the rules for values (worker spec D)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import Address, address_bytes
from workerpool_poco.protocol.signatures import eip191_hash, recover_address

from workerpool_sms.errors import InvalidSecretName, SecretEmpty, SecretTooLarge

MAX_VALUE_BYTES = 4096
"""Size limit of a submitted value, in bytes of UTF-8."""
APP_SECRET_INDEX = "1"
"""The only index of an app developer's secret."""

RESULT_ENCRYPTION_KEY = "iexec-result-encryption-public-key"
"""Name of a beneficiary's public key, which encrypts results."""
DROPBOX_TOKEN = "iexec-result-dropbox-token"
"""Name of a requester's token for Dropbox."""
IPFS_TOKEN = "iexec-result-iexec-ipfs-token"
"""Name of a worker's or requester's token for the result proxy."""
RESULT_PROXY_URL = "iexec-result-iexec-result-proxy-url"
"""Name of the pool owner's secret with the address of the pool's result proxy."""

_SIGNED_DOMAIN = keccak(b"IEXEC_SMS_DOMAIN")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_KEY = re.compile(r"[0-9A-Za-z_-]{1,64}")


class SecretKind(StrEnum):
    """Kinds of secret, with different owners and rights."""

    WEB3 = "web3"
    """Key of a dataset, owned by the owner of its contract; written once."""
    WEB2 = "web2"
    """A user's named secret; replaceable."""
    APP_DEVELOPER = "app"
    """An app developer's secret, owned by the owner of the app; written once."""
    REQUESTER = "requester"
    """A requester's named secret; written once."""


_OWNED_BY_CONTRACT = frozenset({SecretKind.WEB3, SecretKind.APP_DEVELOPER})
OWNED_BY_WALLET = frozenset(SecretKind) - _OWNED_BY_CONTRACT
"""Kinds whose owner is a wallet, without a contract on chain."""


@dataclass(frozen=True, slots=True)
class SecretName:
    """The name of one secret; `address` is lower-case, `key` is empty for WEB3."""

    kind: SecretKind
    address: Address
    key: str = ""

    @classmethod
    def parse(cls, kind: SecretKind, address: str, key: str = "") -> "SecretName":
        """Return the name. Raises InvalidSecretName for a malformed address or key."""
        lower = address.lower()
        if not _ADDRESS.fullmatch(lower):
            raise InvalidSecretName("the address must be 0x and 40 hexadecimal digits; correct it")
        if kind is SecretKind.WEB3 and key:
            raise InvalidSecretName("a dataset has one secret without a name; omit the name")
        if kind is SecretKind.APP_DEVELOPER and key != APP_SECRET_INDEX:
            raise InvalidSecretName(f"an app has one secret, of index {APP_SECRET_INDEX}; use that index")
        if kind is not SecretKind.WEB3 and not _KEY.fullmatch(key):
            raise InvalidSecretName(
                "a secret's name has 1 to 64 of the characters 0-9 A-Z a-z _ -; rename it"
            )
        return cls(kind, lower, key)

    @property
    def id(self) -> str:
        """The name as one text, to which the encrypted value is bound."""
        return f"{self.kind}:{self.address}:{self.key}"

    @property
    def is_replaceable(self) -> bool:
        """Whether a stored value may be replaced."""
        return self.kind is SecretKind.WEB2

    @property
    def is_owned_by_contract(self) -> bool:
        """Whether `address` is a contract, whose owner on chain owns the secret."""
        return self.kind in _OWNED_BY_CONTRACT

    def __str__(self) -> str:
        return self.id


def signed_hash(name: SecretName, value: str) -> bytes:
    """Return `keccak256(keccak256("IEXEC_SMS_DOMAIN") ‖ address [‖ keccak256(key)] ‖ keccak256(value))`.

    The owner signs these 32 bytes with the EIP-191 prefix, with the value as submitted, before it is trimmed.
    """
    key = keccak(name.key.encode()) if name.key else b""
    return keccak(_SIGNED_DOMAIN + address_bytes(name.address) + key + keccak(value.encode()))


def signer_of(message: bytes, signature: bytes) -> Address | None:
    """Return the checksummed address that signed 32 bytes; None for a malformed signature.

    Never the zero address, which would own contracts without an owner.
    """
    try:
        return recover_address(eip191_hash(message), signature)
    except InvalidSignature:
        return None


def stored_value(value: str) -> str:
    """Return the stored form of a value, without white space at its ends. Raises SecretTooLarge or SecretEmpty."""
    if (size := len(value.encode())) > MAX_VALUE_BYTES:
        raise too_large(size)
    trimmed = value.strip()
    if not trimmed:
        raise SecretEmpty("the value is empty; send the secret as text/plain in the body")
    return trimmed


def too_large(size: int | None = None) -> SecretTooLarge:
    """Return the refusal of a value above the limit; `size` in bytes, if known."""
    has = "has more" if size is None else f"has {size} bytes, more"
    return SecretTooLarge(f"the value {has} than {MAX_VALUE_BYTES} bytes; send a smaller one")
