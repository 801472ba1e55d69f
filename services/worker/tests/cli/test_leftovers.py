"""`poolworker clean`: what it removes, what it keeps, and what it refuses."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workerpool_kit.settings.environment import load
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker import container_host
from workerpool_worker.adapters.files.worker_lock import take_lock
from workerpool_worker.adapters.journal_reading import read_journal
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.cli.leftovers import Cleaned, clean
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.errors import CommandRefused
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.stored_engine import StoredEngine, running_engine
from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID, WORKER
from services.worker.tests.harness.context import unexpected

OTHER_WALLET = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
NETWORK = "workerpool-apps-of-a-test"


@pytest.fixture
async def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[StoredEngine]:
    """An engine of this test alone, on a host of which the locks of networks are this test's too."""
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(container_host, "_RUN", tmp_path / "run")
    async with running_engine() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.url)
        yield engine


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    settings = load(
        WorkerSettings,
        {"POOL_ADDRESS": "0x" + "11" * 20, "IEXEC_WORKER_BASE_DIR": str(tmp_path), "IEXEC_WORKER_NAME": "w"},
    )
    settings.folder.mkdir()
    return settings


async def hold(settings: WorkerSettings, *tasks: TaskId) -> None:
    """Leave a journal with replicates of these tasks."""
    journal = SqliteJournal(settings.folder / "journal.db", on_failure=unexpected)
    await journal.open()
    for task_id in tasks:
        await journal.save_assignment(b"", ReplicateRecord(task_id))
    await journal.close()


def leave(settings: WorkerSettings, engine: StoredEngine, *tasks: TaskId) -> None:
    """Leave a container and a folder of each task."""
    for task_id in tasks:
        engine.container(f"of {task_id[:4]}", workerpool_worker=WORKER, workerpool_task=task_id)
        (settings.folder / task_id / "input").mkdir(parents=True)


def journal_files(settings: WorkerSettings) -> list[Path]:
    return sorted(settings.folder.glob("journal.db*"))


async def test_what_belongs_to_no_replicate_is_removed(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    leave(settings, engine, TASK_ID, OTHER_TASK_ID)
    quarantined = settings.folder / f"{TASK_ID}.quarantine-1"
    quarantined.mkdir()
    (settings.folder / "notes").mkdir()
    done = await clean(settings, WORKER, force=False)
    assert done.containers == [TASK_ID, OTHER_TASK_ID]
    assert sorted(done.folders) == sorted([TASK_ID, OTHER_TASK_ID, quarantined.name])
    assert done.replicates == 0
    assert engine.containers == []
    assert (settings.folder / "notes").exists(), "the operator's own folder stays"


async def test_a_replicate_of_the_journal_keeps_its_container_and_folder(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    await hold(settings, TASK_ID)
    leave(settings, engine, TASK_ID, OTHER_TASK_ID)
    done = await clean(settings, WORKER, force=False)
    assert done == Cleaned([OTHER_TASK_ID], [OTHER_TASK_ID], 0)
    assert [each["Labels"]["workerpool.task"] for each in engine.containers] == [TASK_ID]
    assert (settings.folder / TASK_ID / "input").exists()
    assert len(read_journal(settings.folder / "journal.db").tasks) == 1


async def test_force_removes_the_replicates_with_their_files(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    await hold(settings, TASK_ID, OTHER_TASK_ID)
    leave(settings, engine, TASK_ID)
    assert await clean(settings, WORKER, force=True) == Cleaned([TASK_ID], [TASK_ID], 2)
    assert journal_files(settings) == []
    assert await clean(settings, WORKER, force=True) == Cleaned(), "a second time there is nothing"


async def test_containers_of_another_wallet_stay(settings: WorkerSettings, engine: StoredEngine) -> None:
    engine.container("foreign", workerpool_worker=OTHER_WALLET, workerpool_task=TASK_ID)
    engine.container("foreign sandbox", workerpool_sandbox=OTHER_WALLET)
    engine.container("of no pool")
    await clean(settings, WORKER, force=True)
    assert engine.removed == []


async def test_sandboxes_are_removed_unless_an_app_uses_them(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    await hold(settings, TASK_ID)
    for name in ("idle", "used"):
        engine.container(name, state="running", workerpool_sandbox=WORKER)
    engine.container("app", "container:used", "running", workerpool_worker=WORKER, workerpool_task=TASK_ID)
    await clean(settings, WORKER, force=False)
    assert engine.removed == ["idle"]


async def test_a_network_is_removed_unless_another_worker_of_this_host_uses_it(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    engine.network(NETWORK)
    engine.container("app of another worker", NETWORK, "running", workerpool_worker=OTHER_WALLET)
    await clean(settings, WORKER, force=False)
    assert engine.removed == []
    engine.containers.clear()
    await clean(settings, WORKER, force=False)
    assert engine.removed == [NETWORK]


async def test_networks_stay_when_the_locks_of_other_workers_are_not_visible(
    settings: WorkerSettings, engine: StoredEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A user other than root cannot see which network an idle worker of root uses."""
    monkeypatch.setattr(container_host, "_RUN", tmp_path / "not to be written")
    engine.network(NETWORK)
    await clean(settings, WORKER, force=True)
    assert engine.removed == []


@pytest.mark.parametrize("shared", [True, False], ids=["root", "another user"])
async def test_containers_of_a_removed_folder_are_removed_too(
    settings: WorkerSettings,
    engine: StoredEngine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    shared: bool,
) -> None:
    if not shared:
        monkeypatch.setattr(container_host, "_RUN", tmp_path / "not to be written")
    settings.folder.rmdir()
    engine.network(NETWORK)
    engine.container("left", workerpool_worker=WORKER, workerpool_task=TASK_ID)
    assert await clean(settings, WORKER, force=False) == Cleaned([TASK_ID], [], 0)
    assert engine.removed[0] == "left"
    assert not settings.folder.exists()


async def test_pulled_images_are_removed_except_those_of_held_replicates(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    held = pb.Assignment(task=pb.TaskDescription(app_uri="docker.io/library/held:1"))
    journal = SqliteJournal(settings.folder / "journal.db", on_failure=unexpected)
    await journal.open()
    await journal.save_assignment(held.SerializeToString(), ReplicateRecord(TASK_ID))
    await journal.close()
    engine.images = dict.fromkeys(["held:1", "old:1", "foreign:1"], "sha256:1")
    record = [{"name": name, "image_id": "sha256:1", "used_at": 2e9} for name in ("held:1", "old:1")]
    (settings.folder / "images.json").write_text(json.dumps(record))
    assert (await clean(settings, WORKER, force=False)).images == ["old:1"]
    assert (await clean(settings, WORKER, force=True)).images == ["held:1"]
    assert engine.images == {"foreign:1": "sha256:1"}


async def test_images_that_cannot_be_removed_are_reported(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    engine.images = {"old:1": "sha256:1"}
    record = [{"name": "old:1", "image_id": "sha256:1", "used_at": 2e9}]
    (settings.folder / "images.json").write_text(json.dumps(record))
    engine.refusals["DELETE /images/old:1"] = (500, "no database")
    with pytest.raises(CommandRefused, match=r"images cannot be removed: .*no database"):
        await clean(settings, WORKER, force=False)


async def test_nothing_is_removed_while_the_worker_runs(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    leave(settings, engine, TASK_ID)
    worker = take_lock(settings.folder, 13100)
    assert worker is not None
    with worker, pytest.raises(CommandRefused, match="poolworker drain, then clean"):
        await clean(settings, WORKER, force=True)
    assert engine.removed == []
    assert (settings.folder / TASK_ID).exists()


async def test_the_lock_is_free_afterwards(settings: WorkerSettings, engine: StoredEngine) -> None:
    await clean(settings, WORKER, force=False)
    with take_lock(settings.folder) or unexpected("the lock is free"):
        pass


async def test_a_damaged_journal_is_removed_by_force_only(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    (settings.folder / "journal.db").write_text("no database")
    leave(settings, engine, TASK_ID)
    with pytest.raises(CommandRefused, match=r"cannot be read: .*--force removes it"):
        await clean(settings, WORKER, force=False)
    assert engine.removed == []
    assert (settings.folder / TASK_ID).exists()
    assert await clean(settings, WORKER, force=True) == Cleaned([TASK_ID], [TASK_ID], 0)
    assert journal_files(settings) == []


@pytest.mark.parametrize("status", [400, 500])
async def test_an_engine_that_fails_keeps_the_journal_even_from_force(
    settings: WorkerSettings, engine: StoredEngine, status: int
) -> None:
    """The operator may decide otherwise once it runs again."""
    await hold(settings, TASK_ID)
    leave(settings, engine, TASK_ID)
    engine.refusals["GET /containers/json"] = (status, "the daemon is shutting down")
    with pytest.raises(CommandRefused, match="the daemon is shutting down; start Docker and run clean again"):
        await clean(settings, WORKER, force=True)
    assert len(read_journal(settings.folder / "journal.db").tasks) == 1
    assert (settings.folder / TASK_ID).exists()


async def test_networks_that_cannot_be_listed_are_reported(
    settings: WorkerSettings, engine: StoredEngine
) -> None:
    engine.refusals["GET /networks"] = (500, "no database")
    with pytest.raises(CommandRefused, match=r"networks of apps cannot be removed: .*no database"):
        await clean(settings, WORKER, force=False)


async def test_a_folder_that_is_a_file_is_reported(settings: WorkerSettings, engine: StoredEngine) -> None:
    settings.folder.rmdir()
    settings.folder.write_text("")
    with pytest.raises(CommandRefused, match="cannot be used: Not a directory"):
        await clean(settings, WORKER, force=True)
