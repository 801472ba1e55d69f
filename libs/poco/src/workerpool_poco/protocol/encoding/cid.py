"""Content ids of IPFS (CIDs), in their binary form and in every spelling.

A CID holds a codec, which says how the content is stored, and a multihash: the number of a hash function, the length of
the digest, and the digest. Version 0 is a bare SHA-256 multihash of the codec dag-pb, spelled in base58 (`Qm…`).
Version 1 holds its version and its codec too, and is spelled in any base, which its first character names.
"""

from dataclasses import dataclass

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.encoding import multibase
from workerpool_poco.protocol.encoding.varint import read_varint, write_varint

RAW = 0x55
"""Codec of a file that is one block: the digest is the hash of the file itself."""
DAG_PB = 0x70
"""Codec of files and folders that are trees of blocks."""
LIBP2P_KEY = 0x72
"""Codec of a public key, which names changing content (IPNS)."""
SHA2_256 = 0x12
IDENTITY = 0x00
"""The hash function of a CID that holds the content itself."""

_VERSION_0 = bytes((SHA2_256, 32))
_MAX_DIGEST_BYTES = 128
_MAX_CHARACTERS = 300
_VERSION_0_CHARACTERS = 46


class InvalidCid(PocoError, ValueError):
    """The text or the bytes are no content id."""


@dataclass(frozen=True, slots=True)
class Cid:
    """One content id. Its text is the usual one: base58 in version 0, base32 in version 1."""

    codec: int
    hash_function: int
    digest: bytes
    version: int = 1

    @classmethod
    def parse(cls, text: str) -> "Cid":
        """Return the content id of a text in any base. Raises `InvalidCid`."""
        if len(text) > _MAX_CHARACTERS:
            raise InvalidCid(f"a content id has at most {_MAX_CHARACTERS} characters, not {len(text)}")
        bare = len(text) == _VERSION_0_CHARACTERS and text.startswith("Qm")
        try:
            cid = cls.decode(multibase.decode_base58(text) if bare else multibase.decode(text))
        except ValueError as malformed:
            raise InvalidCid(f"{text[:80]!r} is not a content id: {malformed}") from malformed
        if bare != (cid.version == 0):
            raise InvalidCid(f"{text[:80]!r} is not a content id: version 0 has no other spelling than Qm…")
        return cid

    @classmethod
    def decode(cls, raw: bytes) -> "Cid":
        """Return the content id of its binary form. Raises `InvalidCid`."""
        if raw.startswith(_VERSION_0):
            return cls(DAG_PB, *split_multihash(raw), version=0)
        try:
            version, at = read_varint(raw)
            codec, at = read_varint(raw, at)
        except ValueError as malformed:
            raise InvalidCid(str(malformed)) from malformed
        if version != 1:
            raise InvalidCid(f"version {version} of content ids is unknown")
        return cls(codec, *split_multihash(raw[at:]))

    def encode(self) -> bytes:
        """Return the binary form."""
        multihash = write_varint(self.hash_function) + write_varint(len(self.digest)) + self.digest
        return multihash if self.version == 0 else b"\x01" + write_varint(self.codec) + multihash

    def __str__(self) -> str:
        """Return the usual text."""
        return (
            multibase.encode_base58(self.encode())
            if self.version == 0
            else multibase.encode(self.encode(), "b")
        )

    @property
    def sha256(self) -> str:
        """The SHA-256 of a file that is one block, as `0x…` text; empty for any other content."""
        return "0x" + self.digest.hex() if self.codec == RAW and self._is_sha256 else ""

    def as_block_of(self, sha256: str) -> "Cid":
        """Return the content id of the file with this SHA-256 (`0x…`) if its one block has the same multihash.

        A multihash alone, as contracts hold it, does not contain the codec. The hash of a tree of blocks differs from
        that of its file, so equal ones belong to a file that is one block.
        """
        if self._is_sha256 and sha256 == "0x" + self.digest.hex():
            return Cid(RAW, self.hash_function, self.digest)
        return self

    @property
    def _is_sha256(self) -> bool:
        return self.hash_function == SHA2_256 and len(self.digest) == 32


def split_multihash(raw: bytes) -> tuple[int, bytes]:
    """Return the hash function and the digest of a multihash. Raises `InvalidCid`."""
    try:
        function, at = read_varint(raw)
        length, at = read_varint(raw, at)
    except ValueError as malformed:
        raise InvalidCid(str(malformed)) from malformed
    digest = raw[at:]
    if len(digest) != length:
        raise InvalidCid(f"its digest has {len(digest)} bytes instead of {length}")
    if length > _MAX_DIGEST_BYTES or (not length and function != IDENTITY):
        raise InvalidCid(f"its digest has {length} bytes")
    return function, digest
