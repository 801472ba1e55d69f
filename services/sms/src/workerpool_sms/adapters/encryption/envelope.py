"""The `Vault` port: AES-256-GCM with a data key per value, wrapped with the current key of the key file.

The purpose of a value (its owner and name) is authenticated with both ciphertexts, so that a row cannot be moved to
another owner. AES-GCM and HKDF are those of OpenSSL, through the library `cryptography`.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workerpool_sms.adapters.encryption.key_file import Key, KeyFile
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.errors import KeyFileUnusable, KeyMissing, SealBroken

_KEY_BITS = 256
_NONCE_BYTES = 12


class Envelope:
    """Envelope encryption with the keys of a loaded key file."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file

    @property
    def current_key_id(self) -> str:
        """The id of the current key; see `Vault`."""
        return self._file.keys[-1].key_id

    def seal(self, plain: bytes, purpose: str) -> Sealed:
        """Encrypt a value; see `Vault`."""
        data_key = AESGCM.generate_key(_KEY_BITS)
        return self._wrapped(data_key, _encrypt(data_key, plain, f"value:{purpose}"), purpose)

    def open(self, sealed: Sealed, purpose: str) -> bytes:
        """Decrypt a value; see `Vault`."""
        return _decrypt(self._data_key(sealed, purpose), sealed.content, f"value:{purpose}")

    def rewrap(self, sealed: Sealed, purpose: str) -> Sealed:
        """Encrypt the data key with the current key; see `Vault`."""
        return self._wrapped(self._data_key(sealed, purpose), sealed.content, purpose)

    def derived_secrets(self, purpose: str) -> Sequence[bytes]:
        """Return a secret derived from each key; see `Vault`."""
        return [
            HKDF(SHA256(), length=32, salt=None, info=f"workerpool-sms {purpose}".encode()).derive(key.secret)
            for key in reversed(self._file.keys)
        ]

    def _wrapped(self, data_key: bytes, content: bytes, purpose: str) -> Sealed:
        current = self._file.keys[-1]
        wrapped = _encrypt(current.secret, data_key, f"key:{current.key_id}:{purpose}")
        return Sealed(current.key_id, wrapped, content)

    def _data_key(self, sealed: Sealed, purpose: str) -> bytes:
        key = self._key(sealed.key_id)
        return _decrypt(key.secret, sealed.data_key, f"key:{key.key_id}:{purpose}")

    def _key(self, key_id: str) -> Key:
        found = self._find(key_id)
        if found is None and self._reloaded():
            # Another process may have just rotated the keys.
            found = self._find(key_id)
        if found is None:
            raise KeyMissing(
                f"the key file lacks key {key_id}; tell the operator of this SMS to restore the file"
            )
        return found

    def _find(self, key_id: str) -> Key | None:
        return next((key for key in self._file.keys if key.key_id == key_id), None)

    def _reloaded(self) -> bool:
        try:
            return self._file.reload()
        except KeyFileUnusable:
            return False


def _encrypt(key: bytes, plain: bytes, purpose: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, purpose.encode())


def _decrypt(key: bytes, sealed: bytes, purpose: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError):
        raise SealBroken(
            "a stored value was changed outside this SMS; tell its operator to restore a backup"
        ) from None
