"""A node that a test scripts: one wallet's transactions, a pool, blocks that the test mines."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.ids import Address, Hex, to_hex
from workerpool_transactions.domain.answers import Counts, FeeQuote, GasEstimate, SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Call, Offer, Receipt, Version

WALLET: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ACCEPTED = SendAnswer(SendOutcome.ACCEPTED)


class PlainSigner:
    """Spells the bytes of a transaction as text. Implements `Signer`."""

    address = WALLET

    def sign(self, nonce: int, call: Call, offer: Offer) -> Version:
        fields = (str(nonce), call.to, call.data.hex(), str(call.gas), str(offer.max_fee), str(offer.tip))
        raw = ",".join(fields).encode()
        return Version(to_hex(raw), raw, offer)


def nonce_of(raw: bytes) -> int:
    return int(raw.decode().split(",")[0])


def max_fee_of(raw: bytes) -> int:
    return int(raw.decode().split(",")[4])


@dataclass
class ScriptedNode:
    """Keeps sent transactions in a pool until the test mines them. Implements `Node`."""

    base_fee: int | None = 100
    funds: int = 10**18
    pool: dict[int, bytes] = field(default_factory=dict)
    mined: list[tuple[bytes, Receipt]] = field(default_factory=list)
    block: int = 1
    fork: str = "a"
    sent: list[bytes] = field(default_factory=list)
    """Every send, in order."""
    answers: deque[SendAnswer | Exception] = field(default_factory=deque)
    """Answers to the next sends; an answer that is not ACCEPTED keeps the transaction out of the pool."""
    refuse: Callable[[bytes], SendAnswer | None] = lambda _: None
    """Answers a send that has no scripted answer."""
    is_down: bool = False
    mines_at_once: bool = False
    answers_after_s: float = 0.0
    """How late sends are answered."""
    reverts: set[bytes] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    """The methods called, in order."""
    hidden: set[Hex] = field(default_factory=set)
    """Transactions without a receipt: the node lags."""
    pending_offset: int = 0
    lags: int = 0
    """How many transactions a second node lacks, which gives 40 % of the answers."""
    random: Random = field(default_factory=lambda: Random(1))

    # --- what a test does ----------------------------------------------------

    def mine(self, count: int = 1_000_000) -> None:
        """Mine a block with up to `count` transactions of the pool, in nonce order without gaps."""
        self.block += 1
        while count and len(self.mined) in self.pool:
            self._mine(self.pool.pop(len(self.mined)))
            count -= 1

    def use_nonce(self) -> None:
        """Mine a transaction of another program."""
        self.pool.pop(len(self.mined), None)
        self.block += 1
        self._mine(b"other %d" % len(self.mined))

    def reorganise(self, count: int, *, keeps: bool = False) -> None:
        """Remove the last `count` transactions from the chain; `keeps` returns them to the pool."""
        removed = self.mined[len(self.mined) - count :]
        del self.mined[len(self.mined) - count :]
        self.fork += "'"
        if keeps:
            self.pool |= {len(self.mined) + i: raw for i, (raw, _) in enumerate(removed)}

    def _mine(self, raw: bytes) -> None:
        self.mined.append(
            (
                raw,
                Receipt(to_hex(raw), raw not in self.reverts, self.block, 21_000, self._hash()),
            )
        )

    def _hash(self) -> Hex:
        return to_hex(f"{self.fork}{self.block}".encode())

    # --- Node ----------------------------------------------------------------

    async def counts(self) -> Counts:
        self._called("counts")
        mined = len(self._view())
        pending = mined
        while pending in self.pool:
            pending += 1
        return Counts(mined, pending + self.pending_offset, self.block)

    async def look(self, hashes: Sequence[Hex]) -> tuple[Counts, dict[Hex, Receipt]]:
        return await self.counts(), await self.receipts(hashes) if hashes else {}

    async def send(self, raw: bytes) -> SendAnswer:
        self._called("send")
        self.sent.append(raw)
        answer: SendAnswer | Exception | None = self.answers.popleft() if self.answers else self.refuse(raw)
        if isinstance(answer, Exception):
            raise answer
        if answer is None or answer.outcome is SendOutcome.ACCEPTED:
            answer = answer or self._judge(raw)
            if answer.outcome is SendOutcome.ACCEPTED:
                self.pool[nonce_of(raw)] = raw
        if self.mines_at_once:
            self.mine()
        if self.answers_after_s:
            await asyncio.sleep(self.answers_after_s)
        return answer

    def _judge(self, raw: bytes) -> SendAnswer:
        nonce, held = nonce_of(raw), self.pool.get(nonce_of(raw))
        if nonce < len(self.mined):
            return SendAnswer(SendOutcome.NONCE_TOO_LOW, "nonce too low")
        if held is not None and held != raw and max_fee_of(raw) * 100 < max_fee_of(held) * 110:
            return SendAnswer(SendOutcome.REPLACEMENT_TOO_LOW, "replacement transaction underpriced")
        return ACCEPTED

    async def receipts(self, hashes: Sequence[Hex]) -> dict[Hex, Receipt]:
        self._called("receipts")
        found = {receipt.hash: receipt for _, receipt in self._view()}
        return {each: found[each] for each in hashes if each in found and each not in self.hidden}

    async def known(self, hashes: Sequence[Hex]) -> set[Hex]:
        self._called("known")
        have = {to_hex(raw) for raw in self.pool.values()} | {receipt.hash for _, receipt in self.mined}
        return have & set(hashes)

    async def quote(self) -> FeeQuote:
        self._called("quote")
        return FeeQuote(self.base_fee, (self.base_fee or 0) + 1, 1)

    async def balance(self) -> int:
        self._called("balance")
        return self.funds

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        self._called("estimate")
        return [GasEstimate(21_000, self.block) for _ in calls]

    def _view(self) -> list[tuple[bytes, Receipt]]:
        lags = self.lags and self.random.random() < 0.4
        return self.mined[: -self.lags] if lags else self.mined

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self.is_down:
            raise ChainUnreachable("the node does not answer")

    def effects(self) -> list[bytes]:
        """Return the calldata of the mined transactions that succeeded, in order."""
        return [
            bytes.fromhex(raw.decode().split(",")[2])
            for raw, receipt in self.mined
            if receipt.succeeded and not raw.startswith(b"other")
        ]


__all__ = ["ACCEPTED", "WALLET", "PlainSigner", "ScriptedNode", "max_fee_of", "nonce_of"]
