"""Gas estimates, shared by equal calls, because a node executes a call up to twenty times to estimate it."""

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
"""Seconds for which an estimate serves calls of the same form; a rollup's data price changes within minutes."""
_SPREAD = 30_000
"""Most gas by which two calls of one form differ per contributor, because the first write of a slot costs more."""

_Form: TypeAlias = tuple[Group, int, int]


@dataclass(frozen=True)
class EstimateRequest:
    """A transaction to estimate; `seen` is the state in which each command was possible."""

    plan: Plan
    call: Call
    seen: Sequence[Sendable]
    is_exact: bool = False
    """Whether it needs its own estimate: the node refused it before, or its last transaction had no effect."""

    @property
    def form(self) -> _Form | None:
        """The properties shared by calls of equal gas; None for a call that needs its own estimate."""
        if self.is_exact or len(self.plan.commands) > 1:
            return None
        return self.plan.group, self.seen[0].contributors, len(self.call.data)


class Estimates:
    """The node's gas estimates, requested at most once in `VALID_S` seconds for calls of one form."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self._known: dict[_Form, tuple[float, GasEstimate]] = {}

    async def estimate(self, requests: Sequence[EstimateRequest]) -> list[GasEstimate]:
        """Return the gas of each call, in order. Raises ChainUnreachable."""
        now = self._clock.now()
        self._known = {form: known for form, known in self._known.items() if 0 <= now - known[0] < VALID_S}
        answers: dict[int, GasEstimate] = {}
        samples = {each.form: place for place, each in reversed(list(enumerate(requests)))}
        first = [
            place
            for place, each in enumerate(requests)
            if each.form is None or (each.form not in self._known and samples[each.form] == place)
        ]
        await self._fetch(requests, first, answers, now)
        for place, each in enumerate(requests):
            if place not in answers and each.form in self._known:
                answers[place] = _widened(self._known[each.form][1], each)
        # The refusal of a form's sample says nothing about the other calls.
        await self._fetch(
            requests, [place for place in range(len(requests)) if place not in answers], answers, now
        )
        return [answers[place] for place in range(len(requests))]

    async def _fetch(
        self,
        requests: Sequence[EstimateRequest],
        places: Sequence[int],
        answers: dict[int, GasEstimate],
        now: float,
    ) -> None:
        if not places:
            return
        estimates = await self._node.estimate([requests[place].call for place in places])
        for place, estimate in zip(places, estimates, strict=True):
            answers[place] = estimate
            form = requests[place].form
            if form is not None and estimate.gas is not None:
                self._known[form] = (now, estimate)


def _widened(known: GasEstimate, request: EstimateRequest) -> GasEstimate:
    contributors = sum(each.contributors for each in request.seen)
    assert known.gas is not None, "only amounts are kept"
    return replace(known, gas=known.gas + _SPREAD * (1 + contributors))
