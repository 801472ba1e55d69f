"""A seed ends well only if every task ended on time and as the chain says."""

import pytest
from workerpool_core.domain.model import DealTerms, Task, TaskChange
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.chain.hub import HubTask
from workerpool_core.simulation.checks import verdict
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.checks.violation import Violation
from workerpool_core.simulation.core.process import Core
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.faults import Faults
from workerpool_core.simulation.fleet import Fleet
from workerpool_core.simulation.ledger import Ledger
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, TaskStatus

NAME = TaskId("0x01")
S = ChainTaskStatus
T = TaskStatus


@pytest.mark.parametrize(
    ("statuses", "on_chain", "faults", "violation"),
    [
        ((T.FINALIZED, T.COMPLETED), S.COMPLETED, Faults("calm", must_complete=True), ""),
        ((T.CONTRIBUTION_TIMEOUT, T.FAILED), S.FAILED, Faults("rough", must_complete=False), ""),
        ((T.INITIALIZED, T.RUNNING), S.ACTIVE, Faults("calm", must_complete=True), "not ended"),
        ((T.CONTRIBUTION_TIMEOUT, T.FAILED), S.ACTIVE, Faults("rough", must_complete=False), "left open"),
        ((T.FINALIZED, T.COMPLETED), S.FAILED, Faults("rough", must_complete=False), "disagree"),
        ((T.CONTRIBUTION_TIMEOUT, T.FAILED), S.FAILED, Faults("calm", must_complete=True), "explains"),
    ],
)
def test_a_task_must_end_as_the_chain_says(
    terms: DealTerms,
    statuses: tuple[TaskStatus, ...],
    on_chain: ChainTaskStatus,
    faults: Faults,
    violation: str,
) -> None:
    environment = Environment(1, None)
    environment.faults = faults
    environment.chain.head.state[NAME] = HubTask(terms, on_chain)
    ledger = Ledger()
    history = [TaskChange(status, terms.start_time) for status in statuses]
    ledger.tasks[NAME] = Task(NAME, 0, terms, history, initialization_block=1)
    core = Core(environment, Policy(), ledger, Invariants(ledger, environment))
    fleet = Fleet(environment, core)
    if violation:
        with pytest.raises(Violation, match=violation):
            verdict.check(environment, ledger, fleet)
    else:
        verdict.check(environment, ledger, fleet)


def test_a_task_that_was_never_created_is_detected(terms: DealTerms) -> None:
    environment = Environment(1, None)
    environment.chain.head.state[NAME] = HubTask(terms)
    ledger = Ledger()
    core = Core(environment, Policy(), ledger, Invariants(ledger, environment))
    with pytest.raises(Violation, match="were lost"):
        verdict.check(environment, ledger, Fleet(environment, core))
