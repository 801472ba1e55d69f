"""Gas estimates, asked once for equal calls: a node executes a call up to twenty times to estimate it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from workerpool_kit.clock import Clock
from workerpool_transactions.domain.answers import GasEstimate
from workerpool_transactions.domain.entry import Call
from workerpool_transactions.ports import Node

from workerpool_chain_adapter.domain.assessment import Sendable
from workerpool_chain_adapter.domain.planning import Group, Plan

VALID_S = 10.0
"""How long an estimate serves calls of the same form; prices of a rollup's data change within minutes."""
_SPREAD = 30_000
"""Most gas by which two calls of one form differ per contributor: the first storage of a value costs more."""

_Form: TypeAlias = tuple[Group, int, int]


@dataclass(frozen=True)
class Question:
    """A transaction whose gas is wanted; `seen` is the state in which each command was possible."""

    plan: Plan
    call: Call
    seen: Sequence[Sendable]
    is_exact: bool = False
    """Whether it must be estimated itself: the node refused it before, or its last transaction had no effect."""

    @property
    def form(self) -> _Form | None:
        """What calls of equal gas have in common; None for a call that is estimated itself."""
        if self.is_exact or len(self.plan.commands) > 1:
            return None
        return self.plan.group, self.seen[0].contributors, len(self.call.data)


class Estimates:
    """Asks the node, at most once in `VALID_S` seconds for calls of one form."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self._known: dict[_Form, tuple[float, GasEstimate]] = {}

    async def estimate(self, questions: Sequence[Question]) -> list[GasEstimate]:
        """Return the gas of each call, in order. Raises ChainUnreachable."""
        now = self._clock.now()
        self._known = {form: known for form, known in self._known.items() if 0 <= now - known[0] < VALID_S}
        answers: dict[int, GasEstimate] = {}
        samples = {each.form: place for place, each in reversed(list(enumerate(questions)))}
        first = [
            place
            for place, each in enumerate(questions)
            if each.form is None or (each.form not in self._known and samples[each.form] == place)
        ]
        await self._ask(questions, first, answers, now)
        for place, each in enumerate(questions):
            if place not in answers and each.form in self._known:
                answers[place] = _widened(self._known[each.form][1], each)
        # The sample of a form was refused, which says nothing about the others.
        await self._ask(
            questions, [place for place in range(len(questions)) if place not in answers], answers, now
        )
        return [answers[place] for place in range(len(questions))]

    async def _ask(
        self,
        questions: Sequence[Question],
        places: Sequence[int],
        answers: dict[int, GasEstimate],
        now: float,
    ) -> None:
        if not places:
            return
        estimates = await self._node.estimate([questions[place].call for place in places])
        for place, estimate in zip(places, estimates, strict=True):
            answers[place] = estimate
            form = questions[place].form
            if form is not None and estimate.gas is not None:
                self._known[form] = (now, estimate)


def _widened(known: GasEstimate, question: Question) -> GasEstimate:
    contributors = sum(each.contributors for each in question.seen)
    assert known.gas is not None, "only amounts are kept"
    return replace(known, gas=known.gas + _SPREAD * (1 + contributors))
