"""Read what a sequencer checks from a signed transaction."""

from __future__ import annotations

from dataclasses import dataclass

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from rlp import decode  # type: ignore[import-untyped]

_FIRST_LEGACY_BYTE = 0xC0


@dataclass(frozen=True)
class Sent:
    """A signed transaction: who sent it, its nonce, and the most it pays for a unit of gas in wei."""

    sender: str
    nonce: int
    max_fee: int


def read(raw: str) -> Sent:
    """Decode a signed transaction in hexadecimal; raises `ValueError` for anything else."""
    content = HexBytes(raw)
    sender = str(Account.recover_transaction(content))
    if content[0] >= _FIRST_LEGACY_BYTE:
        nonce, price = (int.from_bytes(part, "big") for part in decode(bytes(content))[:2])
        return Sent(sender, nonce, price)
    fields = TypedTransaction.from_bytes(content).as_dict()
    return Sent(sender, int(fields["nonce"]), int(fields.get("maxFeePerGas", fields.get("gasPrice", 0))))
