"""Challenges that a wallet signs to prove its address; each is valid for one request within a few minutes.

The SDK sends `hash_signature_address`: the EIP-712 hash of the challenge, the signature of it, and the wallet.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import Address, Hex, address, bytes32, from_hex, to_hex

from workerpool_devnet.order_book.errors import NotAuthorized

LIFETIME_S = 300.0
_MOST = 10_000
"""Challenges that wait for their signature; the oldest are dropped."""
_TYPE = "Challenge(string challenge)"


@dataclass(frozen=True)
class Authorization:
    """The content of an `Authorization` header, not verified yet."""

    challenge_hash: Hex
    signature: bytes
    wallet: Address

    @classmethod
    def parse(cls, header: str) -> Authorization:
        """Read `hash_signature_address`; raises `NotAuthorized`."""
        parts = header.split("_")
        try:
            challenge_hash, signature, wallet = parts
            return cls(to_hex(bytes32(challenge_hash)), from_hex(signature), address(wallet))
        except (ValueError, InvalidId):
            raise NotAuthorized(
                "the Authorization header must be hash_signature_address of a challenge: "
                "get one from /challenge?chainId=…&address=… and sign it"
            ) from None


class Challenges:
    """Issues challenges and redeems each once. `clock` returns monotonic seconds."""

    def __init__(self, chain_id: int, clock: Callable[[], float]) -> None:
        self._domain = Eip712Domain("iExec Gateway", "1", chain_id)
        self._clock = clock
        self._issued: dict[Hex, tuple[Address, float]] = {}
        """Hash of the challenge → wallet and time; oldest first."""

    def issue(self, wallet: Address) -> dict[str, Any]:
        """Return the typed data that the wallet has to sign."""
        text = secrets.token_hex(32)
        now = self._clock()
        while self._issued:
            oldest = next(iter(self._issued))
            if self._issued[oldest][1] + LIFETIME_S > now and len(self._issued) < _MOST:
                break
            del self._issued[oldest]
        self._issued[to_hex(self._domain.digest(_TYPE, [text]))] = (wallet, now)
        return self._domain.to_json(_TYPE, {"challenge": text})

    def redeem(self, authorization: Authorization) -> None:
        """Redeem the challenge of a request; raises `NotAuthorized` unless it is valid for this wallet."""
        wallet, issued_at = self._issued.pop(authorization.challenge_hash, ("", 0.0))
        if wallet != authorization.wallet or issued_at + LIFETIME_S <= self._clock():
            raise NotAuthorized(
                f"the challenge is unknown, used, expired after {LIFETIME_S:g} s, or of another wallet than "
                f"{authorization.wallet}: get a new one from /challenge for each request"
            )
