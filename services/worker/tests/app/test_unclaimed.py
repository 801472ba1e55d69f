"""A replicate that the scheduler forgot is kept while the chain has its contribution: its stake is locked."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_worker.app import unclaimed
from workerpool_worker.app.claims import disown
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.supervisor import Supervisor, UpdateResult
from workerpool_worker.app.unclaimed import until_useless
from workerpool_worker.domain.record import Command, ReplicateRecord, Result
from workerpool_worker.domain.stages import TO_COMPUTED, Action, Stage
from workerpool_worker.errors import ChainUnavailable

from services.worker.tests.doubles.chain import NO_CONTRIBUTION, FakeChain
from services.worker.tests.doubles.journal import InMemoryJournal
from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import make_context, make_replicate, statuses, unexpected, updates
from services.worker.tests.harness.waiting import Eventually

CONTRIBUTED = replace(NO_CONTRIBUTION, status=ContributionStatus.CONTRIBUTED)
KEPT = [Stage.CONTRIBUTE, Stage.AWAIT_REVEAL, Stage.REVEAL, Stage.AWAIT_UPLOAD, Stage.UPLOAD, Stage.AWAIT_END]


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain(own_contribution=CONTRIBUTED)


@pytest.fixture
def journal() -> InMemoryJournal:
    return InMemoryJournal(unexpected)


@pytest.fixture
def context(tmp_path: Path, chain: FakeChain, journal: InMemoryJournal) -> ReplicateContext:
    return make_context(tmp_path, chain=chain, journal=journal)


@pytest.fixture
async def supervisor(context: ReplicateContext) -> AsyncIterator[Supervisor]:
    async def wait(replicate: Replicate) -> None:
        await asyncio.Event().wait()

    made = Supervisor(context, dict.fromkeys(Stage, wait), parse=assignment, on_crash=unexpected)
    yield made
    await made.stop()


async def resumed(supervisor: Supervisor, journal: InMemoryJournal, stage: Stage) -> None:
    record = ReplicateRecord(TASK_ID, stage, S.CONTRIBUTED, Result("0x" + "ab" * 32))
    journal.save_assignment(b"wire", record)
    supervisor.resume(await journal.open())


def held(supervisor: Supervisor) -> list[TaskId]:
    return [record.task_id for record in supervisor.held()]


async def test_a_replicate_without_a_contribution_ends(context: ReplicateContext) -> None:
    replicate = make_replicate(context, stage=Stage.COMPUTE)
    assert disown(replicate)
    assert replicate.discarded
    assert not replicate.unclaimed


@pytest.mark.parametrize("stage", KEPT)
async def test_it_is_kept_after_the_welcome_of_an_older_scheduler(
    supervisor: Supervisor, journal: InMemoryJournal, stage: Stage
) -> None:
    await resumed(supervisor, journal, stage)
    supervisor.drop([TASK_ID])
    await asyncio.sleep(0)
    assert held(supervisor) == [TASK_ID]
    assert [record.stage for _, record in (await journal.open()).replicates] == [stage]


async def test_it_is_kept_after_a_refusal_as_unknown(
    supervisor: Supervisor, context: ReplicateContext, journal: InMemoryJournal, eventually: Eventually
) -> None:
    await resumed(supervisor, journal, Stage.REVEAL)
    (update,) = await eventually(lambda: updates(context))
    supervisor.apply_results([UpdateResult(update.sequence, refused=True, abort=True, unknown=True)])
    await asyncio.sleep(0)
    assert held(supervisor) == [TASK_ID]
    assert updates(context) == []
    snapshot = await journal.open()
    assert (len(snapshot.replicates), snapshot.updates) == (1, ())


async def test_it_reveals_once_the_scheduler_found_its_contribution(
    supervisor: Supervisor, journal: InMemoryJournal
) -> None:
    await resumed(supervisor, journal, Stage.AWAIT_REVEAL)
    supervisor.drop([TASK_ID])
    await supervisor.accept_command(Command(9, TASK_ID, Action.REVEAL, block_number=3))
    await asyncio.sleep(0)
    assert [(record.stage, record.consensus_block) for record in supervisor.held()] == [(Stage.REVEAL, 3)]


async def test_a_new_assignment_of_it_reports_again_and_finds_the_contribution(
    supervisor: Supervisor, context: ReplicateContext, journal: InMemoryJournal, eventually: Eventually
) -> None:
    await resumed(supervisor, journal, Stage.AWAIT_END)
    supervisor.drop([TASK_ID])
    supervisor.assign(assignment(wire=b"new"))
    await eventually(lambda: statuses(context) == [*TO_COMPUTED, S.CONTRIBUTING])
    ((wire, record),) = (await journal.open()).replicates
    assert (wire, record.stage, record.result_available) == (b"new", Stage.CONTRIBUTE, True)
    assert supervisor.free_slots == 2


async def test_it_ends_once_the_task_is_over_on_chain(
    supervisor: Supervisor, chain: FakeChain, journal: InMemoryJournal, eventually: Eventually
) -> None:
    chain.chain_task = replace(chain.chain_task, status=ChainTaskStatus.COMPLETED)
    await resumed(supervisor, journal, Stage.AWAIT_END)
    supervisor.drop([TASK_ID])
    await eventually(lambda: supervisor.is_idle)
    assert (await journal.open()).replicates == ()


async def test_the_end_of_a_forgotten_replicate_is_reported_again(
    supervisor: Supervisor, context: ReplicateContext, journal: InMemoryJournal, eventually: Eventually
) -> None:
    """Without an answer the scheduler would wait for a start, and blame the worker."""
    await journal.end(TASK_ID, [])
    supervisor.resume(await journal.open())
    for _ in range(2):
        supervisor.assign(assignment())
        await eventually(lambda: statuses(context) == [S.ABORTED])


class Looks(FakeChain):
    """Answers each look with the next of these: a contribution, or nothing because the node is away."""

    def __init__(self, *looks: Contribution | None) -> None:
        super().__init__()
        self.left = list(looks)

    async def with_contribution(self, task_id: TaskId) -> tuple[ChainTask, Contribution]:
        if (look := self.left.pop(0)) is None:
            raise ChainUnavailable("the node does not answer")
        return self.chain_task, look


@pytest.mark.parametrize(
    ("looks", "left"),
    [
        ([NO_CONTRIBUTION, NO_CONTRIBUTION, CONTRIBUTED], 1),
        ([NO_CONTRIBUTION, CONTRIBUTED, NO_CONTRIBUTION, NO_CONTRIBUTION], 0),
        ([None, NO_CONTRIBUTION, None, NO_CONTRIBUTION], 0),
    ],
    ids=["reorganised", "a-node-lags", "a-node-is-away"],
)
async def test_two_looks_in_turn_tell_that_there_is_no_contribution(
    looks: list[Contribution | None], left: int
) -> None:
    chain = Looks(*looks)
    await until_useless(chain, TASK_ID, lambda: False, look_s=0)
    assert len(chain.left) == left


async def test_a_contribution_under_way_is_awaited() -> None:
    under_way = iter([True, True, True, False, False])
    chain = Looks(*[NO_CONTRIBUTION] * 5)
    await until_useless(chain, TASK_ID, lambda: next(under_way), look_s=0)
    assert chain.left == []
    assert unclaimed._LOOK_S > 0
