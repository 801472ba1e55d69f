"""The end of the worker's process, step by step."""

import asyncio
from pathlib import Path

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.app.departure import Departure
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.record import Command
from workerpool_worker.domain.stages import Action, Stage

from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import make_context, unexpected
from services.worker.tests.harness.waiting import Eventually


async def waiting_step(_replicate: Replicate) -> None:
    """Run without end."""
    await asyncio.Event().wait()


class Stream:
    """A stream that records its calls, and answers as the test says."""

    def __init__(self) -> None:
        self.changes = 0
        self.left: list[float] = []
        self.known = True

    def availability_changed(self) -> None:
        self.changes += 1

    async def leave(self, return_within_s: float, limit_s: float) -> bool:
        self.left.append(return_within_s)
        return self.known


class Ending:
    """A departure with a replicate that computes without end."""

    def __init__(self, folder: Path, *, return_within_s: float = 0.0, finish_s: float = 0.0) -> None:
        self.stream, self.stopped = Stream(), list[str]()
        self.supervisor = Supervisor(
            make_context(folder),
            dict.fromkeys(Stage, waiting_step),
            parse=unexpected,
            on_crash=unexpected,
        )
        self.departure = Departure(
            self.supervisor,
            self.stream,
            finish_s=finish_s,
            return_within_s=lambda: return_within_s,
            stop=self.stopped.append,
        )

    @property
    def replicates(self) -> list[Replicate]:
        return list(self.supervisor._replicates.values())


async def test_leaving_for_good_hands_over_computing_replicates(tmp_path: Path) -> None:
    ending = Ending(tmp_path)
    ending.supervisor.assign(assignment())
    await asyncio.sleep(0)
    await ending.departure.leave()
    assert ending.stream.left == [0.0]
    assert ending.supervisor.held() == []
    assert ending.departure.refusal


@pytest.mark.parametrize(("within", "known"), [(60.0, True), (0.0, False)])
async def test_a_worker_that_returns_or_is_unheard_hands_over_nothing(
    tmp_path: Path, within: float, known: bool
) -> None:
    ending = Ending(tmp_path, return_within_s=within)
    ending.stream.known = known
    ending.supervisor.assign(assignment())
    await asyncio.sleep(0)
    await ending.departure.leave()
    assert [record.task_id for record in ending.supervisor.held()] == [TASK_ID]
    await ending.supervisor.stop()


async def test_a_contribution_in_progress_may_finish_and_is_kept(tmp_path: Path) -> None:
    ending = Ending(tmp_path, finish_s=0.3)
    ending.supervisor.assign(assignment())
    await asyncio.sleep(0)
    (replicate,) = ending.replicates
    replicate.record = replicate.record.evolve(stage=Stage.CONTRIBUTE, status=ReplicateStatus.CONTRIBUTING)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await ending.departure.leave()
    assert loop.time() - began >= 0.3
    assert [record.task_id for record in ending.supervisor.held()] == [TASK_ID]
    await ending.supervisor.stop()


async def test_a_drain_ends_with_the_last_replicate(tmp_path: Path, eventually: Eventually) -> None:
    ending = Ending(tmp_path, return_within_s=60.0)
    ending.supervisor.assign(assignment())
    requested = asyncio.Event()
    draining = asyncio.create_task(ending.departure.drain_when(requested))
    requested.set()
    await eventually(lambda: ending.stream.changes == 1)
    assert "drains" in ending.departure.refusal
    assert ending.stopped == []
    await ending.supervisor.accept_command(Command(1, TASK_ID, Action.ABORT))
    await eventually(lambda: not ending.supervisor.held())
    # The report of the end still waits for the scheduler's answer.
    assert ending.stopped == []
    ending.supervisor._context.outbox.remove_task(TASK_ID)
    await eventually(lambda: ending.stopped == ["drained"])
    await draining
    await ending.departure.leave()
    assert ending.stream.left == [0.0]
