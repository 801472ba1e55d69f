"""Signed transactions of the simulation: their bytes are plain text."""

from dataclasses import dataclass
from functools import lru_cache

from workerpool_poco.protocol.ids import Address, Hex

from workerpool_transactions.domain.entry import Call, Offer, Version

WALLET = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
CONTRACT = Address("0x5FbDB2315678afecb367f032d93F642f64180aa3")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a node reads from the bytes of a transaction; `tip` is None in a legacy one. Amounts in wei."""

    hash: Hex
    nonce: int
    to: Address
    data: bytes
    gas: int
    value: int
    max_fee: int
    tip: int | None

    @property
    def is_empty(self) -> bool:
        """Whether it is an empty transfer of the wallet to itself."""
        return self.to == WALLET and not self.data and self.value == 0

    @property
    def cost(self) -> int:
        """What the wallet must own for it."""
        return self.gas * self.max_fee + self.value

    def price(self, base_fee: int | None) -> int:
        """Return what it pays per unit of gas."""
        if self.tip is None or base_fee is None:
            return self.max_fee
        return min(self.max_fee, base_fee + self.tip)


class SimulatedSigner:
    """Writes a transaction as text. Implements `Signer`."""

    address = WALLET

    def sign(self, nonce: int, call: Call, offer: Offer) -> Version:
        """Return the same bytes for the same arguments."""
        fields = (nonce, call.to, call.data.hex(), call.gas, call.value, offer.max_fee, offer.tip)
        raw = ",".join(map(str, fields)).encode()
        return Version(read(raw).hash, raw, offer)


@lru_cache(maxsize=4096)
def read(raw: bytes) -> Signed:
    """Decode a transaction."""
    text = raw.decode()
    nonce, to, data, gas, value, max_fee, tip = text.split(",")
    return Signed(
        Hex("0x" + text),
        int(nonce),
        Address(to),
        bytes.fromhex(data),
        int(gas),
        int(value),
        int(max_fee),
        None if tip == "None" else int(tip),
    )
