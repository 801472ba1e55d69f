"""Output that only root may read: a worker without root collects and removes it."""

import os
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.adapters.docker.container_config import WORKER_LABEL
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.open_folder import open_folder
from workerpool_worker.app.cleanup import remove_containers, remove_files
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.app.steps.compute import compute
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import HostStorageUnavailable

from services.worker.tests.harness import users
from services.worker.tests.harness.builders import assignment
from services.worker.tests.harness.context import POLICY, make_context, make_replicate
from services.worker.tests.harness.fixtures import MakePlan

pytestmark = pytest.mark.skipif(bool(users.why_not()), reason=users.why_not())

CLOSED = (
    "umask 077; mkdir -p /iexec_out/d/e; echo secret > /iexec_out/d/f; echo deep > /iexec_out/d/e/f; "
    'echo \'{"deterministic-output-path": "/iexec_out/d"}\' > /iexec_out/computed.json'
)


class ClosingEngine(DockerEngine):
    """An engine whose apps write what only root may read."""

    async def create(self, plan: ContainerPlan) -> str:
        return await super().create(replace(plan, command=("/bin/sh", "-c", CLOSED)))


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder of a user without root."""
    folder = Path(tempfile.mkdtemp(prefix="worker-", dir="/tmp"))
    os.chown(folder, users.UNPRIVILEGED, users.UNPRIVILEGED)
    yield folder
    shutil.rmtree(folder)


async def test_a_worker_without_root_collects_and_removes_it(
    app_image: str, own_folder: Path, wallet: str, docker_client: Any
) -> None:
    task_id = TaskId(f"0x{uuid.uuid4().hex * 2}")
    engine = ClosingEngine(wallet)
    try:
        with users.without_root():
            context = make_context(
                own_folder, engine=engine, policy=replace(POLICY, limits=SlotLimits(1.0, 64 << 20, 64))
            )
            task = assignment(task_id=task_id, app_uri=app_image)
            replicate = make_replicate(context, assigned=task, stage=Stage.COMPUTE)
            await compute(replicate)
            assert replicate.record.result_available
            with zipfile.ZipFile(replicate.folder.archive) as archive:
                assert (archive.read("d/f"), archive.read("d/e/f")) == (b"secret\n", b"deep\n")
            await remove_containers(engine, task_id)
            await remove_files(context.workspace, engine, task_id, replicate.log)
            assert list(own_folder.iterdir()) == []
    finally:
        await engine.remove(task_id)
        engine.close()
    assert docker_client.containers.list(all=True, filters={"label": f"{WORKER_LABEL}={wallet}"}) == []


async def test_a_folder_that_was_closed_to_all_is_removed(
    engine: DockerEngine, plan: MakePlan, own_folder: Path
) -> None:
    """An app may close even folders to their owner, and keep others from removing with the sticky bit."""
    script = "umask 777; mkdir -p /iexec_out/a; umask 0; mkdir -m 1777 /iexec_out/b; touch /iexec_out/b/f"
    made = replace(plan("/bin/sh", "-c", script), binds={own_folder: ("/iexec_out", False)})
    own_folder.chmod(0o777)
    await engine.run(await engine.create(made), PATIENCE_S, new=True)
    with users.without_root():
        with pytest.raises(PermissionError):
            (own_folder / "b/f").unlink()
        await engine.open_folder(own_folder)
        (own_folder / "b/f").unlink()
        (own_folder / "b").rmdir()
        assert list((own_folder / "a").iterdir()) == []


async def test_no_link_leads_to_files_of_the_host(
    engine: DockerEngine, plan: MakePlan, own_folder: Path, tmp_path: Path
) -> None:
    hosts = tmp_path / "of-the-host"
    hosts.mkdir(mode=0o700)
    (hosts / "key").touch(mode=0o600)
    links = {"folder": hosts, "file": hosts / "key", "above": "../../..", "dangling": "/nowhere"}
    script = "; ".join(f"ln -s {target} /iexec_out/{name}" for name, target in links.items())
    made = replace(plan("/bin/sh", "-c", script), binds={own_folder: ("/iexec_out", False)})
    own_folder.chmod(0o777)
    assert (await engine.run(await engine.create(made), PATIENCE_S, new=True)).exit_code == 0
    before = {path: path.stat().st_mode for path in (hosts, hosts / "key", own_folder.parent)}
    await engine.open_folder(own_folder)
    assert {path: path.stat().st_mode for path in before} == before


async def test_an_image_replaces_the_programs_of_the_host(
    docker_client: Any, app_image: str, own_folder: Path, wallet: str
) -> None:
    (own_folder / "f").touch(mode=0o600)
    open_folder(docker_client.api, own_folder, app_image, {WORKER_LABEL: wallet})
    assert (own_folder / "f").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize("image", ["workerpool-worker-tests:absent", ""])
async def test_the_reason_is_reported_when_the_engine_cannot_open_a_folder(
    docker_client: Any, own_folder: Path, wallet: str, image: str
) -> None:
    folder = own_folder if image else own_folder / "missing"
    with pytest.raises(HostStorageUnavailable, match="run the worker as root"):
        open_folder(docker_client.api, folder, image, {WORKER_LABEL: wallet})
    assert docker_client.containers.list(all=True, filters={"label": f"{WORKER_LABEL}={wallet}"}) == []


def test_the_users_of_these_tests_have_no_rights_of_root(own_folder: Path) -> None:
    (own_folder / "f").touch(mode=0o600)
    with users.without_root(), pytest.raises(PermissionError):
        (own_folder / "f").read_text()
    assert os.geteuid() == 0
