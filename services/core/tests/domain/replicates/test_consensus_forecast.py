"""The forecast counts contributions on chain and those that are still expected."""

from collections.abc import Callable

import pytest
from workerpool_core.domain import transitions
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.replicates.consensus_forecast import (
    contributors,
    expected_until,
    is_active,
    is_at_dead_end,
    is_caf_eligible,
    pending_contributions,
    wants_more,
)
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

R = ReplicateStatus
C = ReplicateStatusCause
T = 300
SCONE = f"0x{3:064x}"
Assign = Callable[..., Replicate]


@pytest.fixture
def task(add_task: Callable[..., Task]) -> Task:
    """A task with trust 5: three agreeing contributions of weight 2 are a consensus."""
    return add_task(1, trust=5)


@pytest.fixture
def assign(context: EventContext, task: Task, add_worker: Callable[..., LiveWorker]) -> Assign:
    """`assign(wallet, contribution)` assigns the task to a new worker, which contributes at once if asked."""

    def assign(wallet: str, contribution: str = "") -> Replicate:
        add_worker(wallet)
        replicate = transitions.create_replicate(context, task, wallet, 2)
        replicate.contribution_hash = contribution
        return replicate

    return assign


def test_workers_are_wanted_until_the_expected_contributions_are_a_consensus(
    context: EventContext, task: Task, assign: Assign
) -> None:
    workers = context.state.workers
    wanted = []
    for wallet in ("0x1", "0x2", "0x3"):
        wanted.append(wants_more(task, workers, context.now))
        assign(wallet)
    assert wanted == [True, True, True]
    assert not wants_more(task, workers, context.now)


def test_a_silent_replicate_is_expected_for_one_category_time(
    context: EventContext, task: Task, assign: Assign
) -> None:
    replicates = [assign(wallet) for wallet in ("0x1", "0x2", "0x3")]
    assert expected_until(replicates[0], task) == context.now + T
    assert pending_contributions(task, context.state.workers, context.now + T - 1) == replicates
    assert wants_more(task, context.state.workers, context.now + T)


def test_a_contribution_counts_although_its_worker_is_lost(
    context: EventContext, task: Task, assign: Assign
) -> None:
    for wallet in ("0x1", "0x2", "0x3"):
        assign(wallet, "0xaa")
        context.state.workers[wallet].worker.lost = True
    assert len(contributors(task)) == 3
    assert not wants_more(task, context.state.workers, context.now + 10 * T)


def test_a_replicate_of_a_lost_worker_is_not_active(context: EventContext, assign: Assign) -> None:
    replicate = assign("0x1")
    assert is_active(replicate, context.state.workers)
    context.state.workers["0x1"].worker.lost = True
    assert not is_active(replicate, context.state.workers)
    assert not is_active(replicate, {})


@pytest.mark.parametrize(("cause", "dead"), [(C.APP_IMAGE_DOWNLOAD_FAILED, False), (C.UNKNOWN, True)])
def test_a_failed_download_is_a_dead_end_unless_it_is_contributed(
    context: EventContext, assign: Assign, cause: ReplicateStatusCause, dead: bool
) -> None:
    replicate = assign("0x1")
    for status in (R.STARTING, R.STARTED, R.APP_DOWNLOADING):
        transitions.move_replicate(context, replicate, status)
    transitions.move_replicate(context, replicate, R.APP_DOWNLOAD_FAILED, cause=cause)
    assert is_at_dead_end(replicate) is dead


@pytest.mark.parametrize(
    ("terms", "eligible"),
    [({"trust": 1}, False), ({"trust": 1, "tag": SCONE}, True), ({"trust": 2, "tag": SCONE}, False)],
)
def test_contribute_and_finalize_needs_an_enclave_and_no_trust(
    add_task: Callable[..., Task], terms: dict[str, object], eligible: bool
) -> None:
    assert is_caf_eligible(add_task(2, **terms)) is eligible
