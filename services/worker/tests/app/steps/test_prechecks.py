"""The pre-checks: authorization, initialization block, and a node that lags."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatusCause
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.prechecks import (
    check_authorization,
    check_may_contribute,
    wait_for_initialization,
)
from workerpool_worker.app.steps.start import start
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import ChainUnavailable, InitializationOrphaned, StepFailed

from services.worker.tests.doubles.chain import FakeChain
from services.worker.tests.harness.builders import (
    DEAL_ID,
    LATER,
    OTHER_TASK_ID,
    TASK_ID,
    WORKER,
    assignment,
    chain_task,
)
from services.worker.tests.harness.context import make_context, make_replicate

OWNER, STRANGER = Wallet.create(), Wallet.create()


@dataclass
class LaggingChain(FakeChain):
    """A chain whose node knows the task's initialization only at a later block."""

    known_at: int = 0

    async def task(self, task_id: TaskId) -> ChainTask:
        known = self.head >= self.known_at
        return chain_task(status=ChainTaskStatus.ACTIVE if known else ChainTaskStatus.UNSET)


Make = Callable[..., Replicate]


@pytest.fixture
def replicate_on(tmp_path: Path) -> Make:
    def make(chain: FakeChain, **fields: object) -> Replicate:
        return make_replicate(make_context(tmp_path, chain=chain), **fields)  # type: ignore[arg-type]

    return make


def authorized_by(signer: Wallet, *, worker: str = WORKER, task_id: TaskId = TASK_ID) -> object:
    signed = sign_authorization(signer, worker=worker, task_id=task_id, deal_id=DEAL_ID, task_index=0)
    return replace(assignment(), authorization=signed)


async def test_an_authorization_signed_by_the_pool_owner_is_accepted(replicate_on: Make) -> None:
    await check_authorization(
        replicate_on(FakeChain(pool_owner=OWNER.address), assigned=authorized_by(OWNER))
    )


@pytest.mark.parametrize(
    ("assigned", "text"),
    [
        (authorized_by(STRANGER), f"signed by {STRANGER.address}, which does not own the workerpool"),
        (authorized_by(OWNER, worker=STRANGER.address), f"for the worker {STRANGER.address}"),
        (authorized_by(OWNER, task_id=OTHER_TASK_ID), "for another task"),
        (assignment(), "signature"),
    ],
    ids=["signed by a stranger", "for another worker", "for another task", "not signed"],
)
async def test_any_other_authorization_is_refused(replicate_on: Make, assigned: object, text: str) -> None:
    with pytest.raises(StepFailed, match=text) as failed:
        await check_authorization(replicate_on(FakeChain(pool_owner=OWNER.address), assigned=assigned))
    assert failed.value.cause is ReplicateStatusCause.WORKERPOOL_AUTHORIZATION_NOT_FOUND


class UnreadableChain(FakeChain):
    """A chain whose node does not answer."""

    async def is_pool_owner(self, signer: str) -> bool:
        raise ChainUnavailable("the node does not answer")

    async def task(self, task_id: TaskId) -> ChainTask:
        raise ChainUnavailable("the node does not answer")


@pytest.mark.parametrize(
    ("assigned", "error"),
    [
        (authorized_by(OWNER, worker=STRANGER.address), StepFailed),
        (assignment(), StepFailed),
        (authorized_by(OWNER), ChainUnavailable),
    ],
    ids=["for another worker", "not signed", "signed"],
)
async def test_a_missing_authorization_takes_precedence_over_an_unreachable_node(
    replicate_on: Make, assigned: object, error: type[Exception]
) -> None:
    """Scenario 10: authorization missing and chain unreachable. An outage alone is waited for."""
    with pytest.raises(error):
        await start(replicate_on(UnreadableChain(), assigned=assigned))


async def test_the_initialization_block_is_awaited(replicate_on: Make) -> None:
    chain = FakeChain(head=3)
    await wait_for_initialization(replicate_on(chain, assigned=replace(assignment(), initialization_block=9)))
    assert chain.head == 9


async def test_a_node_that_does_not_reach_the_initialization_block_fails_the_step(replicate_on: Make) -> None:
    replicate = replicate_on(
        FakeChain(head=3, stuck=True), assigned=replace(assignment(), initialization_block=9)
    )
    with pytest.raises(StepFailed, match="at block 3 and did not reach block 9") as failed:
        await wait_for_initialization(replicate)
    assert failed.value.cause is ReplicateStatusCause.CHAIN_UNREACHABLE


async def test_a_node_a_few_blocks_behind_is_awaited_at_the_start(replicate_on: Make) -> None:
    await check_may_contribute(replicate_on(LaggingChain(known_at=10), stage=Stage.START))


async def test_a_task_that_is_never_initialized_is_not_started(replicate_on: Make) -> None:
    with pytest.raises(StepFailed) as failed:
        await check_may_contribute(replicate_on(LaggingChain(known_at=LATER), stage=Stage.START))
    assert failed.value.cause is ReplicateStatusCause.TASK_NOT_ACTIVE


async def test_an_initialization_that_a_reorganization_orphaned_is_retried(replicate_on: Make) -> None:
    with pytest.raises(InitializationOrphaned):
        await check_may_contribute(replicate_on(LaggingChain(known_at=10), stage=Stage.COMPUTE))


async def test_a_low_stake_is_explained_with_both_amounts(replicate_on: Make) -> None:
    replicate = replicate_on(FakeChain(stake=4), assigned=assignment(worker_stake=5))
    with pytest.raises(StepFailed, match="has 4 nRLC in the hub and the task locks 5 nRLC") as failed:
        await check_may_contribute(replicate)
    assert failed.value.cause is ReplicateStatusCause.STAKE_TOO_LOW
