"""Equal calls share an estimate for a short time."""

from collections import deque
from collections.abc import Sequence

import pytest
from workerpool_chain_adapter.app.estimates import VALID_S, EstimateRequest, Estimates
from workerpool_chain_adapter.domain.assessment import Sendable
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.planning import Group, Plan
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import TaskId
from workerpool_transactions.domain.answers import GasEstimate
from workerpool_transactions.domain.entry import Call

from services.chain_adapter.tests.doubles.chain import MemoryChain

HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


class Node(MemoryChain):
    """Counts what it estimates."""

    def __init__(self) -> None:
        super().__init__()
        self.estimated: list[bytes] = []

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        self.estimated += [each.data for each in calls]
        return await super().estimate(calls)


@pytest.fixture
def node() -> Node:
    return Node()


def question(
    number: int, *, contributors: int = 1, is_exact: bool = False, count: int = 1
) -> EstimateRequest:
    commands = tuple(
        Command(CommandKey(TaskId(f"0x{number + other:064x}"), CommandKind.CLAIM), 0, 0)
        for other in range(count)
    )
    plan = Plan(Group.CLAIM, commands)
    call = Call(HUB, plan.data, 0, plan.labels)
    return EstimateRequest(plan, call, [Sendable(1, contributors=contributors)] * count, is_exact)


async def test_calls_of_one_form_are_estimated_once(node: Node) -> None:
    estimates, questions = Estimates(node, FakeClock()), [question(number) for number in range(5)]
    first, *others = await estimates.estimate(questions)
    assert first.gas == 100_000
    assert {each.gas for each in others} == {160_000}, "others may need a little more"
    assert node.estimated == [questions[0].call.data]
    await estimates.estimate([question(9)])
    assert len(node.estimated) == 1


async def test_an_estimate_is_valid_for_a_short_time(node: Node) -> None:
    clock = FakeClock()
    estimates = Estimates(node, clock)
    for _ in range(2):
        await estimates.estimate([question(1)])
        clock.advance(VALID_S)
    assert len(node.estimated) == 2


async def test_other_forms_batches_and_doubtful_calls_are_estimated_themselves(node: Node) -> None:
    estimates = Estimates(node, FakeClock())
    await estimates.estimate([question(1)])
    others = [question(2, contributors=2), question(3, is_exact=True), question(4, count=3)]
    answers = await estimates.estimate(others)
    assert node.estimated[1:] == [each.call.data for each in others]
    assert {each.gas for each in answers} == {100_000}


async def test_a_refused_sample_says_nothing_about_the_others(node: Node) -> None:
    questions = [question(number) for number in range(3)]
    refusal = GasEstimate(None, 1, "execution reverted")
    node.estimates[questions[0].call.data] = deque([refusal])
    answers = await Estimates(node, FakeClock()).estimate(questions)
    assert answers[0] == refusal
    assert [each.gas for each in answers[1:]] == [100_000, 100_000]
