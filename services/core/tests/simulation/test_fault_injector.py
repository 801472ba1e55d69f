"""Faults recur at their rates until the end of the faults."""

from collections.abc import Callable

import pytest
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.core.process import Core
from workerpool_core.simulation.environment import START, Environment
from workerpool_core.simulation.fault_injector import FaultInjector
from workerpool_core.simulation.faults import Faults
from workerpool_core.simulation.fleet import Fleet
from workerpool_core.simulation.ledger import Ledger

Run = Callable[[Faults, float], list[str]]


@pytest.fixture
def run() -> Run:
    """`run(faults, until)` runs 100 seconds of faults that end at `until`, and returns what was traced."""

    def run(faults: Faults, until: float) -> list[str]:
        traced: list[str] = []
        environment = Environment(1, lambda at, what, fields: traced.append(what))
        environment.faults, environment.faults_end = faults, START + until
        ledger = Ledger()
        core = Core(environment, Policy(), ledger, Invariants(ledger, environment))
        core.attach(Fleet(environment, core))
        core.start()
        FaultInjector(environment, core, Fleet(environment, core), core.follow).start()
        environment.clock.run(START + 100)
        return traced

    return run


def test_without_a_rate_no_fault_occurs(run: Run) -> None:
    assert set(run(Faults("calm", must_complete=True), 100.0)) <= {"core.started", "event", "write", "effect"}


def test_a_crashed_core_starts_again(run: Run) -> None:
    traced = run(Faults("rough", must_complete=False, core_crashes=0.2), 50.0)
    assert traced.count("core.crashed") > 1
    assert traced.count("core.started") == traced.count("core.crashed") + 1


def test_no_fault_recurs_after_the_end(run: Run) -> None:
    faults = Faults("rough", must_complete=False, reorganisations=1.0)
    assert run(faults, 50.0).count("chain.reorganised") > 20
    assert run(faults, 0.0).count("chain.reorganised") == 0
