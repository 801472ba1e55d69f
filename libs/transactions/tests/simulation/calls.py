"""Signed transactions for the tests of the simulation."""

from dataclasses import replace

from workerpool_transactions.domain.entry import Call, Entry, Offer
from workerpool_transactions.simulation.chain.signed import CONTRACT, Signed, SimulatedSigner, read


def entry(nonce: int, data: bytes = b"work", max_fee: int = 20) -> Entry:
    call = Call(CONTRACT, data, 100_000, ("label",))
    return Entry(nonce, call, (SimulatedSigner().sign(nonce, call, Offer(max_fee, 1)),), 0.0)


def filler(nonce: int) -> Entry:
    """Return an empty transfer."""
    call = Call(CONTRACT, b"", 21_000, ())
    version = SimulatedSigner().sign(nonce, call, Offer(20, 1))
    return Entry(nonce, call, (replace(version, is_empty=read(version.raw).is_empty),), 0.0)


def signed(nonce: int, data: bytes = b"work", max_fee: int = 20) -> Signed:
    return read(entry(nonce, data, max_fee).latest.raw)
