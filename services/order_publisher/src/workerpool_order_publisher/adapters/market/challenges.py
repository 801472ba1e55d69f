"""The market's challenge, which the pool owner signs as proof of its address.

The market chooses the typed data, so anything but a challenge is refused: otherwise a hostile market could obtain the
signature of an order or of an authorization.
"""

from collections.abc import Mapping
from typing import Any

from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.encoding.typed_data import HashSigner
from workerpool_poco.protocol.ids import to_hex

_TYPE = "Challenge(string challenge)"
_FIELDS = [{"name": "challenge", "type": "string"}]
_MAX_CHARACTERS = 10_000


def challenge_digest(typed_data: Mapping[str, Any], chain_id: int) -> bytes:
    """Return the 32 bytes to sign for a challenge. Raises ValueError for any other typed data."""
    domain, message = typed_data.get("domain"), typed_data.get("message")
    types = typed_data.get("types")
    if typed_data.get("primaryType") != "Challenge" or not isinstance(types, dict):
        raise ValueError("the typed data is not a challenge")
    if types.get("Challenge") != _FIELDS or not isinstance(domain, dict) or not isinstance(message, dict):
        raise ValueError("the challenge has fields other than `challenge`")
    if set(domain) != {"name", "version", "chainId"} or set(message) != {"challenge"}:
        raise ValueError("the domain of the challenge has fields other than name, version and chainId")
    name, version, text = domain["name"], domain["version"], message["challenge"]
    if not all(isinstance(value, str) and len(value) <= _MAX_CHARACTERS for value in (name, version, text)):
        raise ValueError("the challenge is not a text")
    if str(domain["chainId"]) != str(chain_id):
        raise ValueError(f"the challenge is for chain {str(domain['chainId'])[:80]}, not {chain_id}")
    return Eip712Domain(name, version, chain_id).digest(_TYPE, [text])


def authorization(wallet: HashSigner, address: str, digest: bytes) -> str:
    """Return the `Authorization` header: `hash_signature_address`."""
    return f"{to_hex(digest)}_{to_hex(wallet.sign_hash(digest))}_{address}"
