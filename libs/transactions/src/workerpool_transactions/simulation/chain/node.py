"""The nodes of a seed behind one address: they lag, lie, refuse, lose and answer late. Implements the `Node` port."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.ids import Hex

from workerpool_transactions.domain.answers import Counts, FeeQuote, GasEstimate, SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Call, Receipt
from workerpool_transactions.domain.profile import Shape
from workerpool_transactions.simulation.chain.blocks import GAS_USED, Block, Chain
from workerpool_transactions.simulation.chain.signed import Signed, read
from workerpool_transactions.simulation.environment import Environment

_LONGEST_LIE = 3
TIP = 10


class Intake(Protocol):
    """How a chain takes transactions."""

    async def take(self, sent: Signed, view: Block) -> SendAnswer:
        """Answer a transaction as a node whose newest block is `view`."""

    def knows(self, hash_: Hex, view: Block) -> bool:
        """Return whether such a node has a transaction."""

    def pending(self, view: Block) -> int:
        """Return the wallet's count with what waits."""

    def forget(self, sent: Signed) -> None:
        """Lose one transaction that was accepted."""

    def lose_all(self) -> None:
        """Lose all that waits."""

    def give_back(self, removed: list[Signed]) -> None:
        """Take transactions that a reorganisation removed."""

    def mine(self, now: float) -> Block:
        """Mine a block where the chain makes blocks by time; return the head."""


class SimulatedNode:
    """One wallet's view of the chain. `seen` is called with every transaction that reaches the node."""

    def __init__(
        self, environment: Environment, chain: Chain, intake: Intake, seen: Callable[[Signed, bytes], None]
    ) -> None:
        self._environment = environment
        self._chain = chain
        self.intake = intake
        self._seen = seen
        self.is_down = False
        self.hides_receipts = False
        self.calls: list[tuple[float, str]] = []
        """Every request, with its time."""
        self._strangers: set[asyncio.Future[SendAnswer]] = set()
        self.invalid: set[bytes] = set()
        """Data of the calls that every node refuses."""

    # --- Node ------------------------------------------------------------------------------

    async def counts(self) -> Counts:
        """Read the wallet's transaction counts."""
        view = await self._view("counts")
        pending = self.intake.pending(view)
        if self._lies():
            offset = self._environment.random.randint(-_LONGEST_LIE, _LONGEST_LIE)
            pending = max(pending + offset, view.count)
        return Counts(view.count, pending, view.number)

    async def look(self, hashes: Sequence[Hex]) -> tuple[Counts, dict[Hex, Receipt]]:
        """Read the counts and then receipts, which another node may answer."""
        return await self.counts(), await self.receipts(hashes) if hashes else {}

    async def receipts(self, hashes: Sequence[Hex]) -> dict[Hex, Receipt]:
        """Return the receipts of the mined transactions among `hashes`."""
        view = await self._view("receipts")
        if self.hides_receipts:
            return {}
        return {each: view.receipts[each] for each in hashes if each in view.receipts and not self._lies()}

    async def known(self, hashes: Sequence[Hex]) -> set[Hex]:
        """Return which of these transactions the node has."""
        view = await self._view("known")
        return {each for each in hashes if self.intake.knows(each, view) and not self._lies()}

    async def quote(self) -> FeeQuote:
        """Read today's fees."""
        view = await self._view("quote")
        if view.base_fee is None:
            return FeeQuote(None, 0)
        # The newest header of a chain without recent blocks determines the fee of the next one.
        fee = self._chain.base_fee if view is self._chain.head else view.base_fee
        return FeeQuote(fee, (fee or 0) + TIP, TIP if self._environment.shape is Shape.MEMPOOL else 0)

    async def balance(self) -> int:
        """Read the wallet's balance."""
        return (await self._view("balance")).balance

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        """Estimate the gas of calls."""
        view = await self._view("estimate")
        return [GasEstimate(GAS_USED, view.number) for _ in calls]

    async def send(self, raw: bytes) -> SendAnswer:
        """Send one signed transaction. The request completes even if its sender is gone."""
        self.calls.append((self._environment.now, "send"))
        sent = read(raw)
        self._seen(sent, raw)
        sending = asyncio.ensure_future(self._send(sent))
        # Nothing reads the answer when its sender is gone.
        sending.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(sending)

    def take_strangers(self, sent: Signed) -> None:
        """Take a transaction of another program."""
        taking = asyncio.ensure_future(self.intake.take(sent, self._chain.head))
        self._strangers.add(taking)
        taking.add_done_callback(self._strangers.discard)

    async def _send(self, sent: Signed) -> SendAnswer:
        environment, faults = self._environment, self._environment.faults
        await asyncio.sleep(environment.latency())
        if self.is_down:
            raise ChainUnreachable("the node does not answer")
        if environment.happens(faults.refused_sends):
            return await self._refuse()
        if sent.data in self.invalid or environment.happens(faults.false_invalid):
            answer = SendAnswer(SendOutcome.INVALID, "exceeds block gas limit")
        else:
            answer = await self._take(sent)
        environment.note("node.answered", nonce=sent.nonce, fee=sent.max_fee, answer=answer.outcome.value)
        if environment.happens(faults.late_answers):
            await asyncio.sleep(environment.random.uniform(0.5, 12.0))
        if environment.happens(faults.lost_answers):
            raise ChainUnreachable("the connection broke before the answer")
        return answer

    async def _take(self, sent: Signed) -> SendAnswer:
        environment = self._environment
        is_dropped = environment.happens(environment.faults.drops)
        if is_dropped and environment.shape is Shape.SEQUENCER:
            environment.note("node.dropped", nonce=sent.nonce)
            return SendAnswer(SendOutcome.ACCEPTED)
        answer = await self.intake.take(sent, self._backend())
        if is_dropped:
            environment.note("node.dropped", nonce=sent.nonce)
            self.intake.forget(sent)
        return answer

    async def _refuse(self) -> SendAnswer:
        """Answer as a node that is busy: nothing is executed."""
        words = ("context deadline exceeded", "too many requests", "")
        text = self._environment.random.choice(words)
        if text.startswith("context"):
            await asyncio.sleep(self._environment.random.uniform(0.1, 5.0))
        if not text:
            raise ChainUnreachable("502 Bad Gateway")
        return SendAnswer(SendOutcome.BUSY, text)

    # --- back-ends ---------------------------------------------------------------------------

    async def _view(self, method: str) -> Block:
        """Answer one read: return the newest block of the back-end that answers."""
        self.calls.append((self._environment.now, method))
        await asyncio.sleep(self._environment.latency())
        if self.is_down:
            raise ChainUnreachable("the node does not answer")
        return self._backend()

    def _backend(self) -> Block:
        environment = self._environment
        if environment.faults.lag_blocks and environment.happens(environment.faults.lagging):
            return self._chain.head_at(environment.now - environment.lag_s)
        return self._chain.head

    def _lies(self) -> bool:
        return self._environment.happens(self._environment.faults.lies)
