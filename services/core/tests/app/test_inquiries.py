"""Questions that are under way: one for each subject."""

import asyncio

import pytest
from workerpool_core.adapters.grpc.requests_in_flight import Inquiries


class Asked:
    """Counts questions; each is answered when the gate opens."""

    def __init__(self) -> None:
        self.inquiries: Inquiries[str] = Inquiries()
        self.gate = asyncio.Event()
        self.begun = 0

    async def question(self) -> None:
        self.begun += 1
        await self.gate.wait()

    def ask(self, subject: str) -> None:
        self.inquiries.begin(subject, self.question, name=subject)


@pytest.fixture
def asked() -> Asked:
    return Asked()


async def settled() -> None:
    """Let everything that is ready run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_question_is_not_doubled_while_it_is_under_way(asked: Asked) -> None:
    for subject in ("a", "a", "b"):
        asked.ask(subject)
    await settled()
    assert (asked.begun, len(asked.inquiries)) == (2, 2)
    asked.gate.set()
    await settled()
    assert not asked.inquiries
    asked.ask("a")
    await settled()
    assert asked.begun == 3


async def test_an_answer_may_lead_to_the_next_question_which_keeps_its_place(asked: Asked) -> None:
    async def answered_and_asked_again() -> None:
        asked.inquiries.answered("a")
        asked.ask("a")

    asked.inquiries.begin("a", answered_and_asked_again, name="a")
    await settled()
    asked.ask("a")
    assert (asked.begun, len(asked.inquiries)) == (1, 1)
    await asked.inquiries.close()


async def test_what_is_under_way_is_given_up_at_the_end(asked: Asked) -> None:
    asked.ask("a")
    await settled()
    await asked.inquiries.close()
    assert not asked.inquiries
