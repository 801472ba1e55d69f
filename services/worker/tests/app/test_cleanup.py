"""Removal of containers and files."""

import asyncio
from pathlib import Path

import stamina
import structlog
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.app.cleanup import ContainerRemoval, remove_containers, remove_files
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.app.prepared_container import PreparedContainer

from services.worker.tests.doubles.engine import FakeEngine
from services.worker.tests.harness.builders import TASK_ID
from services.worker.tests.harness.context import POLICY
from services.worker.tests.harness.waiting import Eventually


class UnremovableWorkspace(DiskWorkspace):
    """Folders that cannot be removed, as those that an app created as root."""

    attempts = 0

    def remove(self, task_id: TaskId) -> None:
        self.attempts += 1
        raise PermissionError(13, "Permission denied")


async def test_containers_are_removed_although_the_engine_was_away() -> None:
    """Scenarios 15 and 16: a container that could not be stopped is not forgotten."""
    engine = FakeEngine(images={"app:1"})
    await engine.create(ContainerPlan(TASK_ID, "worker", "app:1", (), {}, {}, POLICY.limits))
    engine.outages = 3
    with stamina.set_testing(True, attempts=10):
        await remove_containers(engine, TASK_ID)
    assert engine.containers == {}


def removal(engine: FakeEngine) -> ContainerRemoval:
    prepared = PreparedContainer(engine, TASK_ID)
    return ContainerRemoval(engine, prepared, asyncio.Semaphore(1), TASK_ID, structlog.get_logger())


async def test_a_container_is_removed_after_its_result_while_the_replicate_waits(
    eventually: Eventually,
) -> None:
    engine = FakeEngine(images={"app:1"})
    await engine.create(ContainerPlan(TASK_ID, "worker", "app:1", (), {}, {}, POLICY.limits))
    saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    removing = asyncio.create_task(removal(engine).after(saved))
    await asyncio.sleep(0)
    assert len(engine.containers) == 1
    saved.set_result(None)
    await eventually(lambda: not engine.containers)
    await removing


async def test_a_replicate_that_ends_first_removes_its_container_once() -> None:
    engine = FakeEngine(images={"app:1"})
    await engine.create(ContainerPlan(TASK_ID, "worker", "app:1", (), {}, {}, POLICY.limits))
    saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    saved.set_result(None)
    removing = removal(engine)
    after = asyncio.create_task(removing.after(saved))
    await asyncio.sleep(0)
    await removing.at_end()
    assert engine.containers == {}
    engine.outages = 1  # A second removal would fail.
    await after
    assert engine.outages == 1


async def test_a_folder_is_removed(tmp_path: Path) -> None:
    workspace = DiskWorkspace(tmp_path)
    workspace.of(TASK_ID).prepare_output()
    engine = FakeEngine()
    await remove_files(workspace, engine, TASK_ID, structlog.get_logger())
    assert list(tmp_path.iterdir()) == []
    assert engine.opened == []


async def test_a_folder_that_cannot_be_removed_is_quarantined(tmp_path: Path) -> None:
    """Scenario 16: a purge that fails holds nothing back; the folder is set aside."""
    workspace, engine = UnremovableWorkspace(tmp_path), FakeEngine()
    workspace.of(TASK_ID).prepare_output()
    with stamina.set_testing(True, attempts=4), structlog.testing.capture_logs() as lines:
        await remove_files(workspace, engine, TASK_ID, structlog.get_logger())
    assert engine.opened == [workspace.of(TASK_ID).iexec_out]
    assert workspace.attempts == 2, "again after the engine opened the folder"
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith(f"{TASK_ID}.quarantine-")
    assert "replicate.files_quarantined" in [line["event"] for line in lines]
