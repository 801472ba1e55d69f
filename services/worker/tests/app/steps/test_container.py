"""The container of a task's app, and its creation ahead of COMPUTE."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.tags import make_tag
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.container import container_plan, prepare_container
from workerpool_worker.app.steps.download import download_data
from workerpool_worker.domain.fetching.limits import TaskQuota
from workerpool_worker.domain.stages import Stage

from services.worker.tests.doubles.downloader import FakeDownloader
from services.worker.tests.doubles.engine import FakeEngine
from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import POLICY, make_context, make_replicate
from services.worker.tests.harness.replicates import end, waiting_step
from services.worker.tests.harness.waiting import Eventually, wait_until

URL = "https://files.test/data"


async def test_the_container_gets_the_slots_limits_and_the_tasks_folders(tmp_path: Path) -> None:
    replicate = make_replicate(make_context(tmp_path), assigned=assignment(command_line="hello you"))
    plan = container_plan(replicate)
    assert plan == ContainerPlan(
        task_id=TASK_ID,
        name=f"worker-{TASK_ID}",
        image="app:1",
        command=["hello", "you"],
        environment=plan.environment,
        binds={
            replicate.folder.input: ("/iexec_in", True),
            replicate.folder.iexec_out: ("/iexec_out", False),
        },
        limits=POLICY.limits,
    )
    assert plan.environment["IEXEC_TASK_ID"] == TASK_ID


@pytest.mark.parametrize(("asks", "gpus"), [(True, 2), (False, 0)])
async def test_only_a_task_that_requires_gpus_gets_them(tmp_path: Path, *, asks: bool, gpus: int) -> None:
    context = make_context(tmp_path, policy=replace(POLICY, gpus_per_task=2))
    replicate = make_replicate(context, assigned=assignment(tag=to_hex(make_tag(gpu=asks))))
    assert container_plan(replicate).gpus == gpus


async def test_a_container_is_prepared_once(tmp_path: Path) -> None:
    engine = FakeEngine(images={"app:1"})
    replicate = make_replicate(make_context(tmp_path, engine=engine))
    await prepare_container(replicate)
    await prepare_container(replicate)
    container = await replicate.prepared.take()
    assert list(engine.containers) == [container]
    assert len(engine.created) == 1
    assert replicate.folder.iexec_out.is_dir()


async def test_a_container_whose_image_was_missing_is_prepared_after_the_pull(tmp_path: Path) -> None:
    engine = FakeEngine()
    replicate = make_replicate(make_context(tmp_path, engine=engine))
    await prepare_container(replicate)
    await wait_until(lambda: not replicate.prepared.has_container)
    engine.images.add("app:1")
    await prepare_container(replicate)
    assert await replicate.prepared.take() in engine.containers


async def test_no_gpu_is_held_while_files_are_fetched(tmp_path: Path) -> None:
    engine = FakeEngine(images={"app:1"})
    context = make_context(tmp_path, engine=engine, policy=replace(POLICY, gpus_per_task=1))
    replicate = make_replicate(context, assigned=assignment(tag=to_hex(make_tag(gpu=True))))
    await prepare_container(replicate)
    assert not replicate.prepared.has_begun


async def test_a_task_that_no_container_can_run_is_not_prepared(tmp_path: Path) -> None:
    replicate = make_replicate(make_context(tmp_path), assigned=assignment(app_uri="name without tag"))
    await prepare_container(replicate)
    assert await replicate.prepared.take() is None


async def test_the_output_of_an_earlier_run_that_is_closed_is_left_to_compute(tmp_path: Path) -> None:
    engine = FakeEngine(images={"app:1"})
    replicate = make_replicate(make_context(tmp_path, engine=engine))

    def closed() -> None:
        raise PermissionError(13, "Permission denied")

    replicate.folder.prepare_output = closed  # type: ignore[method-assign]
    await prepare_container(replicate)
    assert not replicate.prepared.has_begun
    assert engine.created == []


class Waiting(FakeDownloader):
    """A server that answers once it is allowed to."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def fetch(
        self, url: str, target: Path, quota: TaskQuota, *, is_gateway: bool = False, is_ipfs: bool = False
    ) -> str:
        self.asked.set()
        await self.answers.wait()
        return await super().fetch(url, target, quota, is_gateway=is_gateway, is_ipfs=is_ipfs)


def running_download(
    tmp_path: Path, engine: FakeEngine, downloader: FakeDownloader
) -> tuple[Replicate, asyncio.Task[None]]:
    """Run the life of a replicate that downloads, and waits in each later stage."""
    context = make_context(tmp_path, engine=engine, downloader=downloader)
    steps = dict.fromkeys(Stage, waiting_step) | {Stage.DOWNLOAD_DATA: download_data}
    assigned = assignment(input_files=(URL,))
    replicate = make_replicate(context, steps=steps, assigned=assigned, stage=Stage.DOWNLOAD_DATA)
    return replicate, asyncio.create_task(replicate.run())


async def test_the_container_is_created_while_the_files_arrive(
    tmp_path: Path, eventually: Eventually
) -> None:
    engine, downloader = FakeEngine(images={"app:1"}), Waiting({URL: b"data"})
    replicate, life = running_download(tmp_path, engine, downloader)
    await downloader.asked.wait()
    await eventually(lambda: engine.containers)
    assert replicate.folder.iexec_out.is_dir()
    downloader.answers.set()
    await eventually(lambda: replicate.record.stage is Stage.COMPUTE)
    assert await replicate.prepared.take() in engine.containers
    await end(replicate, life)
    assert engine.containers == {}


async def test_a_failed_download_leaves_no_container(tmp_path: Path, eventually: Eventually) -> None:
    engine, downloader = FakeEngine(images={"app:1"}), Waiting({})
    replicate, life = running_download(tmp_path, engine, downloader)
    await downloader.asked.wait()
    await eventually(lambda: engine.containers)
    downloader.answers.set()
    await eventually(lambda: replicate.record.stage is Stage.AWAIT_DECISION)
    await eventually(lambda: not engine.containers)
    await end(replicate, life)


async def test_a_worker_that_stops_leaves_no_container_without_an_app(
    tmp_path: Path, eventually: Eventually
) -> None:
    engine, downloader = FakeEngine(images={"app:1"}), Waiting({URL: b"data"})
    _, life = running_download(tmp_path, engine, downloader)
    await downloader.asked.wait()
    await eventually(lambda: engine.containers)
    life.cancel()
    await asyncio.wait({life})
    assert engine.containers == {}


async def test_a_failure_of_the_host_leaves_no_container(tmp_path: Path, eventually: Eventually) -> None:
    engine = FakeEngine(images={"app:1"})
    replicate, life = running_download(tmp_path, engine, FakeDownloader(online=False))
    await eventually(lambda: replicate.record.stage is Stage.FAILED and not replicate.prepared.has_begun)
    await eventually(lambda: not engine.containers)
    await end(replicate, life)
