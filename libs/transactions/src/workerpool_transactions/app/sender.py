"""Sends journaled entries, one by one in nonce order."""

import asyncio

from workerpool_kit.logs import get_logger
from workerpool_poco.errors import ChainUnreachable, PocoError

from workerpool_transactions import metrics
from workerpool_transactions.app.context import Context
from workerpool_transactions.app.versions import Versions
from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Version
from workerpool_transactions.domain.item import Item
from workerpool_transactions.domain.steering import pause_s

log = get_logger()

FIRST_LOOK_S = 1.0
SPACING_S = 0.05
"""A node that answers later than this gets the next nonce meanwhile: sequencers may answer after 12 s."""


class Sender:
    """The only sender of one wallet."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._versions = Versions(context)
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0

    async def run(self) -> None:
        """Send without end; ends only by cancellation, which also gives up the outstanding sends."""
        try:
            if len(self._context.queue):
                # After a restart most entries are mined already: a look spares their sends.
                await self._context.timer.wait(self._context.looked, FIRST_LOOK_S)
            while True:
                await self._step()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _step(self) -> None:
        context = self._context
        context.send_now.clear()
        if wanting := context.queue.wanting():
            try:
                await self._versions.renew(wanting)
                self._failures = 0
            except PocoError as error:
                self._failures += 1
                log.warning("sender.chain_lost", wallet=context.wallet, error=str(error))
                await context.timer.wait(asyncio.Event(), pause_s(self._failures))
        now = context.timer.time()
        item = context.queue.next_send(now)
        if item is not None:
            await self._start(item)
        elif not context.queue.wanting():
            due = context.queue.next_due()
            await context.timer.wait(context.send_now, None if due is None else max(due - now, 0.001))

    async def _start(self, item: Item) -> None:
        context = self._context
        version, answered = context.queue.started(item, context.timer.time()), asyncio.Event()
        task = asyncio.create_task(self._send(item.nonce, version, answered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await context.timer.wait(answered, SPACING_S)

    async def _send(self, nonce: int, version: Version, answered: asyncio.Event) -> None:
        context = self._context
        sending, done = asyncio.ensure_future(context.node.send(version.raw)), asyncio.Event()
        sending.add_done_callback(lambda _: done.set())
        # An answer after the time limit is read by nothing else.
        sending.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            if await context.timer.wait(done, context.profile.send_limit_s):
                answer = sending.result()
            else:
                answer = SendAnswer(SendOutcome.BUSY, f"no answer in {context.profile.send_limit_s:g} s")
        except ChainUnreachable as error:
            answer = SendAnswer(SendOutcome.BUSY, str(error))
        except Exception as error:
            # An answer that the node's adapter does not understand must not stop the wallet.
            log.exception("transaction.send_failed", wallet=context.wallet, nonce=nonce)
            answer = SendAnswer(SendOutcome.BUSY, repr(error))
        finally:
            sending.cancel()
        self._answered(nonce, version, answer)
        answered.set()

    def _answered(self, nonce: int, version: Version, answer: SendAnswer) -> None:
        context = self._context
        metrics.SENDS.labels(context.wallet, answer.outcome.value).inc()
        fields = {"wallet": context.wallet, "nonce": nonce, "transaction": version.hash}
        if answer.outcome is SendOutcome.ACCEPTED:
            log.debug("transaction.sent", **fields)
        else:
            log.info("transaction.refused", **fields, outcome=answer.outcome.value, message=answer.message)
        parked = context.queue.brake.parked_reason
        if context.queue.answered(nonce, version, answer, context.timer.time(), context.clock.now()):
            context.look_now.set()
        context.say_parked(parked)
        context.send_now.set()
