"""From calls to journaled entries: nonces, offers and signatures, one journal write for many submissions."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workerpool_kit.logs import get_logger
from workerpool_kit.runtime.tasks import start_task
from workerpool_poco.errors import PocoError

from workerpool_transactions.app.context import Context
from workerpool_transactions.domain.answers import FeeQuote
from workerpool_transactions.domain.entry import Call, Entry, Offer
from workerpool_transactions.domain.steering import pause_s
from workerpool_transactions.ports import NonceTaken

log = get_logger()

READ_AHEAD_S = 1.0
"""How long a nonce that was read ahead serves: another program may use the wallet meanwhile."""


@dataclass(eq=False, slots=True)
class _Submission:
    calls: Sequence[Call]
    journaled: asyncio.Future[list[Entry]]


@dataclass(eq=False, slots=True)
class _Reads:
    """Fees and nonce that are read ahead: since when, and the next nonce that was known then."""

    began_at: float
    known: int | None
    answer: asyncio.Task[tuple[FeeQuote, int] | None]


@dataclass(eq=False, slots=True)
class _Batch:
    submissions: list[_Submission]
    entries: list[Entry]


class Intake:
    """Gives nonces to calls and journals them. A cancelled submitter does not interrupt the journal write."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: list[_Submission] = []
        self._signed: _Batch | None = None
        self._ahead: _Reads | None = None
        self._wake = asyncio.Event()
        self._failures = 0

    def expect(self) -> None:
        """Read fees and nonce for a submission that follows in a moment, while its caller reads something else."""
        if self._usable() is None:
            context = self._context
            reading = start_task(self._read_ahead(), name="transactions-reads")
            self._ahead = _Reads(context.timer.time(), context.next_nonce, reading)

    async def submit(self, calls: Sequence[Call]) -> list[Entry]:
        """Return the journaled entries of calls, in their order."""
        submission = _Submission(calls, asyncio.get_running_loop().create_future())
        self._waiting.append(submission)
        self._wake.set()
        return await submission.journaled

    async def run(self) -> None:
        """Journal submissions without end; waits while the node does not answer."""
        context = self._context
        while True:
            await context.timer.wait(self._wake, None)
            try:
                await self._round()
                self._failures = 0
            except PocoError as error:
                self._failures += 1
                log.warning("intake.chain_lost", wallet=context.wallet, error=str(error))
                await context.timer.wait(asyncio.Event(), pause_s(self._failures))

    async def _round(self) -> None:
        if self._signed is None:
            self._waiting = [each for each in self._waiting if not each.journaled.cancelled()]
            if not self._waiting:
                self._wake.clear()
                return
            ahead, self._ahead = self._usable(), None
            quote, nonce = (await ahead if ahead else None) or await self._read()
            offer = self._context.policy.offer(quote)
            # No await from here to the end of `_sign`: submissions that arrive later are in the next batch.
            self._signed, self._waiting = self._sign(self._waiting, nonce, offer), []
        await self._journal(self._signed)

    async def _journal(self, batch: _Batch) -> None:
        """Journal a batch. An interrupted write is repeated as it was: it may have succeeded."""
        context = self._context
        try:
            await context.journal.add(batch.entries)
        except NonceTaken as error:
            log.warning("journal.shared", wallet=context.wallet, error=str(error))
            self._waiting = batch.submissions + self._waiting
            self._signed = context.next_nonce = None
            await context.adopt()
            return
        self._signed = None
        context.next_nonce = batch.entries[-1].nonce + 1 if batch.entries else context.next_nonce
        if not len(context.queue):
            # Nothing else wakes the watcher when every send is refused.
            context.look_now.set()
        context.queue.put(batch.entries, context.timer.time())
        context.send_now.set()
        entries = iter(batch.entries)
        for each in batch.submissions:
            own = [next(entries) for _ in each.calls]
            if not each.journaled.done():
                each.journaled.set_result(own)

    def _sign(self, submissions: list[_Submission], nonce: int, offer: Offer) -> _Batch:
        context = self._context
        now, ceiling = context.clock.now(), context.profile.gas_ceiling
        entries = []
        for call in (call for each in submissions for call in each.calls):
            version = context.signer.sign(nonce, replace(call, gas=min(call.gas, ceiling)), offer)
            entries.append(Entry(nonce, call, (version,), now, updated_at=now))
            nonce += 1
        return _Batch(submissions, entries)

    def _usable(self) -> asyncio.Task[tuple[FeeQuote, int] | None] | None:
        """Return the reads of `expect`; None if they are old, or another submission got the nonce since."""
        context, ahead = self._context, self._ahead
        if ahead is None or ahead.known != context.next_nonce:
            return None
        return ahead.answer if context.timer.time() - ahead.began_at < READ_AHEAD_S else None

    async def _read_ahead(self) -> tuple[FeeQuote, int] | None:
        """Return what `_read` does; None while the node does not answer, which a submission handles."""
        try:
            return await self._read()
        except PocoError:
            return None

    async def _read(self) -> tuple[FeeQuote, int]:
        """Return fees and the nonce of the next transaction. Raises ChainUnreachable."""
        return await asyncio.gather(self._context.fees.quote(), self._first_nonce())

    async def _first_nonce(self) -> int:
        """Return the lowest nonce that neither journal nor chain uses. Raises ChainUnreachable."""
        context = self._context
        known = context.next_nonce
        if known is not None and len(context.queue):
            return known
        # Nothing is in flight: another program may have used the wallet meanwhile.
        counts = await context.node.counts()
        if known is None:
            highest = await context.journal.highest_nonce()
            known = 0 if highest is None else highest + 1
        first = max(known, counts.mined, counts.pending)
        if first > known > 0:
            log.info("nonces.used_elsewhere", wallet=context.wallet, first=known, before=first)
        return first
