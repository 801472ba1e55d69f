"""The result link, which `finalize` stores on chain for the requester."""

import json
from dataclasses import dataclass

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.encoding.json_text import loads_bounded

STORAGE_IPFS = "ipfs"
STORAGE_ETHEREUM = "ethereum"
"""Callback tasks: the callback contract holds the result, and nothing is uploaded."""


class InvalidResultLink(PocoError, ValueError):
    """The text is not a JSON object with a `storage` and a `location`."""


@dataclass(frozen=True, slots=True)
class ResultLink:
    """The location of a result, e.g. `ResultLink("ipfs", "/ipfs/<cid>")`.

    On chain (`task.results`) it is the UTF-8 JSON `{"storage": …, "location": …}`;
    requesters' tools download it as `GET {gateway}{location}`.
    """

    storage: str
    location: str

    def encode(self) -> str:
        """Return the JSON text, without spaces, keys in the order of the protocol."""
        return json.dumps({"storage": self.storage, "location": self.location}, separators=(",", ":"))

    def to_bytes(self) -> bytes:
        """Return the UTF-8 bytes for the argument `results` of `finalize`."""
        return self.encode().encode()

    @classmethod
    def decode(cls, text: str | bytes) -> "ResultLink":
        """Parse a result link in JSON; raises `InvalidResultLink`."""
        try:
            content = loads_bounded(text)
            storage, location = content["storage"], content["location"]
        except (ValueError, KeyError, TypeError) as cause:
            raise InvalidResultLink("a result link is a JSON object with storage and location") from cause
        if not isinstance(storage, str) or not isinstance(location, str):
            raise InvalidResultLink("storage and location of a result link must be text")
        return cls(storage, location)
