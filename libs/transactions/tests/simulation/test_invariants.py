"""The invariants name what is wrong."""

import asyncio
from dataclasses import replace

import pytest
from workerpool_transactions.domain.entry import Entry, EntryState, Receipt
from workerpool_transactions.simulation.chain.blocks import Chain
from workerpool_transactions.simulation.chain.signed import read
from workerpool_transactions.simulation.checks.invariants import Checks
from workerpool_transactions.simulation.checks.verdict import problem
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.process.caller import Caller, Job, Kind
from workerpool_transactions.simulation.process.journal import SimulatedJournal
from workerpool_transactions.simulation.virtual_time import run

from libs.transactions.tests.simulation.calls import entry, filler


class Seed:
    """A journal and its checks, without a pipeline."""

    def __init__(self) -> None:
        self.environment = Environment(2, None)
        self.environment.faults = replace(self.environment.faults, storage_outages=0.0)
        self.chain = Chain(self.environment.random, 10**9, 10)
        self.checks = Checks(self.environment, self.chain)
        self.journal = SimulatedJournal(self.environment, self.checks)
        self.checks.journal = self.journal.entries

    def saved(self, *forms: Entry) -> str:
        """Return what is wrong after the first form was added and the others were saved."""

        async def story() -> None:
            await self.journal.add(forms[:1])
            for each in forms[1:]:
                await self.journal.save([each])

        run(story)
        return str(self.environment.failure or "")

    def sees(self, sent: Entry) -> str:
        """Return what is wrong after a node received a transaction."""

        async def story() -> None:
            self.checks.seen(read(sent.latest.raw), sent.latest.raw)

        run(story)
        return str(self.environment.failure or "")


def mined(of: Entry) -> Entry:
    return of.ended(EntryState.MINED, 0.0, Receipt(of.latest.hash, True, 1, 1, "0xb"))


def test_a_send_needs_a_journaled_version() -> None:
    seed = Seed()
    assert seed.saved(entry(0)) == ""
    assert seed.sees(entry(0)) == ""
    assert "the journal lacks" in seed.sees(entry(0, max_fee=30))


def test_a_send_above_the_cap_and_out_of_order_is_named() -> None:
    assert "above the cap" in _seen(entry(0, max_fee=10**9))
    seed = Seed()
    seed.saved(entry(0))
    seed.journal.entries[1] = entry(1)
    assert "before nonce 0" in seed.sees(entry(1))


def test_an_entry_whose_nonce_another_program_used_is_not_out_of_order() -> None:
    seed = Seed()
    seed.saved(entry(0))
    seed.journal.entries[1] = entry(1)
    seed.chain.mine([read(entry(0, b"stranger").latest.raw)], 0.0)
    assert seed.sees(entry(1)) == ""


def _seen(sent: Entry) -> str:
    seed = Seed()
    seed.saved(sent)
    return seed.sees(sent)


def test_an_end_is_settled_before_it_is_journaled() -> None:
    assert "before it was settled" in Seed().saved(entry(0), mined(entry(0)))
    seed = Seed()
    seed.checks.settled([mined(entry(0))])
    assert seed.saved(entry(0), mined(entry(0))) == ""


def test_a_nonce_keeps_its_call_and_its_versions() -> None:
    assert "another call" in Seed().saved(entry(0), entry(0, b"other"))
    assert "was forgotten" in Seed().saved(entry(0), entry(0, max_fee=30))


@pytest.mark.parametrize(("used_s_before", "wrong"), [(60.0, True), (0.0, False)])
def test_a_filler_is_wrong_for_a_nonce_that_was_used_before_the_decision_only(
    used_s_before: float, wrong: bool
) -> None:
    """Another program may use the nonce while the pipeline decides, which no pipeline can prevent."""
    seed = Seed()
    seed.environment.faults = replace(seed.environment.faults, reorganisations=0.0)
    seed.journal.entries[1] = entry(1)
    stranger = read(entry(0, b"stranger").latest.raw)

    async def story() -> None:
        await asyncio.sleep(100.0)
        seed.chain.mine([stranger], seed.environment.now)
        await asyncio.sleep(used_s_before)
        await seed.journal.add([filler(0)])

    run(story)
    assert ("which was used before the decision" in str(seed.environment.failure or "")) is wrong


def test_the_verdict_wants_every_effect() -> None:
    seed = Seed()
    job = Job(("label",), Kind.GOOD, 0.0)
    caller = Caller(seed.environment, seed.chain, seed.checks, [job])
    assert "has not ended" in problem(seed.environment, seed.chain.head, {}, caller)
    job.outcome = EntryState.MINED
    assert "no effect" in problem(seed.environment, seed.chain.head, {}, caller)
    assert "in flight" in problem(seed.environment, seed.chain.head, {0: entry(0)}, caller)
