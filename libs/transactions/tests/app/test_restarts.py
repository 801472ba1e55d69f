"""The process dies between any two steps: nothing happens twice, nothing is lost, no nonce is burnt."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Entry, EntryState

from libs.transactions.tests.doubles.node import ScriptedNode, max_fee_of
from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet, call

WORK = 3


class Fuse:
    """Kills the process before or after the `step`-th call of a port."""

    def __init__(self, step: int, *, after: bool) -> None:
        self.left, self.after = step, after
        self.blown = asyncio.Event()

    def wrap(self, port: Any, *methods: str) -> None:
        for name in methods:
            setattr(port, name, self._guarded(getattr(port, name)))

    def _guarded(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def guarded(*arguments: Any) -> Any:
            if self.blown.is_set():
                await asyncio.Event().wait()
            self.left -= 1
            blows = self.left == 0
            result = await method(*arguments) if not blows or self.after else None
            if blows:
                # The process does nothing any more.
                self.blown.set()
                await asyncio.Event().wait()
            return result

        return guarded


NODE = ("counts", "send", "receipts", "known", "quote")
JOURNAL = ("add", "save", "live", "ended", "last_mined", "highest_nonce")


def below_the_base_fee(node: ScriptedNode) -> None:
    node.base_fee = 100

    def refuse(raw: bytes) -> SendAnswer | None:
        node.base_fee = max(node.base_fee or 0, 250 * (len(node.sent) > 1))
        low = max_fee_of(raw) < (node.base_fee or 0)
        return SendAnswer(SendOutcome.FEE_TOO_LOW, "below base fee") if low else None

    node.refuse = refuse


def plain(node: ScriptedNode) -> None:
    """Everything is accepted."""


def forgetful(node: ScriptedNode) -> None:
    """The first answers are lost, though the node has the transactions."""
    for _ in range(2):
        node.answers.append(SendAnswer(SendOutcome.BUSY, "context deadline exceeded"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("manner", [plain, below_the_base_fee, forgetful])
def test_a_kill_at_any_step_costs_nothing(manner: Callable[[ScriptedNode], None], after: bool) -> None:
    async def story(step: int) -> bool:
        wallet = Wallet()
        manner(wallet.node)
        fuse = Fuse(step, after=after)
        await _first_life(wallet, fuse)
        for name in (*NODE, *JOURNAL):
            vars(wallet.node).pop(name, None)
            vars(wallet.journal).pop(name, None)
        vars(wallet).pop("settle", None)
        await _second_life(wallet)
        assert wallet.node.effects() == [call(n).data for n in range(WORK)], f"step {step}"
        assert all(each.state is EntryState.MINED for each in wallet.journal.entries.values())
        assert {each.call.labels for each in wallet.settled} == {call(n).labels for n in range(WORK)}
        return fuse.blown.is_set()

    steps = 1
    while run(story(steps)):
        steps += 1
    assert steps > 8


async def _first_life(wallet: Wallet, fuse: Fuse) -> None:
    fuse.wrap(wallet.node, *NODE)
    fuse.wrap(wallet.journal, *JOURNAL)
    fuse.wrap(wallet, "settle")
    wallet.pipeline = pipeline = wallet._pipeline()

    async def life() -> None:
        await pipeline.resume()
        actor = asyncio.create_task(pipeline.run())
        try:
            await pipeline.submit([call(n) for n in range(WORK)])
            await wallet.until(lambda: len(wallet.node.pool) == WORK)
            wallet.node.mine()
            await wallet.until(lambda: len(wallet.settled) >= WORK)
            await asyncio.sleep(1)
        finally:
            actor.cancel()
            await asyncio.gather(actor, return_exceptions=True)

    living, blown = asyncio.create_task(life()), asyncio.create_task(fuse.blown.wait())
    await asyncio.wait({living, blown}, return_when=asyncio.FIRST_COMPLETED)
    living.cancel()
    blown.cancel()
    await asyncio.gather(living, blown, return_exceptions=True)


async def _second_life(wallet: Wallet) -> None:
    """Run a new process on the journal; what the first did not journal, the caller submits again."""
    async with wallet.running() as pipeline:
        for number in range(WORK):
            if not await wallet.journal.labelled(f"work {number}"):
                await pipeline.submit([call(number)])
        while not all(each.state is EntryState.MINED for each in wallet.journal.entries.values()):
            wallet.node.mine()
            await asyncio.sleep(0.5)


def test_a_restart_tells_the_caller_which_work_lives() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
        async with wallet.running() as pipeline:
            assert [each.call.labels for each in wallet.restored] == [("work 0",)]
            assert pipeline.live("work 0") is not None

    run(story())


def test_a_cancelled_submitter_does_not_interrupt_the_journal() -> None:
    async def story() -> None:
        wallet = Wallet()
        add = wallet.journal.add
        started = asyncio.Event()

        async def slow(entries: list[Entry]) -> None:
            started.set()
            await asyncio.sleep(1)
            await add(entries)

        wallet.journal.add = slow  # type: ignore[assignment, method-assign]
        async with wallet.running() as pipeline:
            submitter = asyncio.create_task(pipeline.submit([call(0)]))
            await started.wait()
            submitter.cancel()
            await wallet.until(lambda: 0 in wallet.node.pool)
            [entry] = await pipeline.submit([call(1)])
            assert entry.nonce == 1

    run(story())


def test_an_actor_that_is_cancelled_and_run_again_repeats_the_interrupted_write() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        add = wallet.journal.add
        started = asyncio.Event()

        async def slow(entries: list[Entry]) -> None:
            await add(entries)
            if not started.is_set():
                started.set()
                await asyncio.sleep(10)

        wallet.journal.add = slow  # type: ignore[assignment, method-assign]
        pipeline = wallet.pipeline
        await pipeline.resume()
        actor = asyncio.create_task(pipeline.run())
        submitter = asyncio.create_task(pipeline.submit([call(0)]))
        await started.wait()
        actor.cancel()
        await asyncio.gather(actor, return_exceptions=True)
        actor = asyncio.create_task(pipeline.run())
        [entry] = await submitter
        assert (await pipeline.wait(entry.nonce)).state is EntryState.MINED
        actor.cancel()
        await asyncio.gather(actor, return_exceptions=True)
        assert wallet.node.effects() == [call(0).data]

    run(story())
