"""The contract of the `Engine` port, over every implementation."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.app.ports import ContainerPlan, Engine
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.errors import AppCannotStart, ImageUnavailable, RegistryRefused

from services.worker.tests.doubles.engine import App, FakeEngine
from services.worker.tests.harness.waiting import Eventually

SPEAKS = ("/bin/sh", "-c", "echo out; echo err >&2; exit 7")
SPEAKS_AND_SLEEPS = ("/bin/sh", "-c", "echo out; sleep 60")
SLEEPS = ("/bin/sleep", "60")
MISSING = ("/no/such/program",)
NO_IMAGE = "127.0.0.1:9/no/such:image"


@dataclass
class Host:
    """An engine with an image whose apps do what the commands above say."""

    engine: Engine
    image: str
    task_id: TaskId

    def plan(self, command: tuple[str, ...], **fields: Any) -> ContainerPlan:
        values: dict[str, Any] = {
            "task_id": self.task_id,
            "name": f"worker-{self.task_id}",
            "image": self.image,
            "command": command,
            "environment": {},
            "binds": {},
            "limits": SlotLimits(1.0, 64 << 20, 64),
        }
        return ContainerPlan(**(values | fields))


class Sink:
    """Keeps the output."""

    def __init__(self) -> None:
        self.data = {stream: b"" for stream in OutputStream}

    def add(self, stream: OutputStream, data: bytes) -> None:
        self.data[stream] += data

    def mark_gap(self) -> None:
        pass


@pytest.fixture(params=["docker", "memory"])
async def host(request: pytest.FixtureRequest) -> AsyncIterator[Host]:
    task_id = TaskId(f"0x{uuid.uuid4().hex * 2}")
    if request.param == "memory":
        apps = {
            SPEAKS: App("out\n", "err\n", 7),
            SPEAKS_AND_SLEEPS: App("out\n", duration_s=60),
            SLEEPS: App(duration_s=60),
            MISSING: App(starts=False),
        }
        yield Host(FakeEngine(apps, {"app:1"}), "app:1", task_id)
        return
    engine = DockerEngine(f"test-{uuid.uuid4().hex}")
    yield Host(engine, request.getfixturevalue("app_image"), task_id)
    await engine.remove(task_id)
    engine.close()


async def test_an_app_ends_with_its_exit_code_and_output(host: Host, tmp_path: Path) -> None:
    container = await host.engine.create(host.plan(SPEAKS))
    ended = await host.engine.run(container, PATIENCE_S, new=True)
    assert (ended.exit_code, ended.timed_out) == (7, False)
    await host.engine.copy_logs(container, tmp_path / "out", tmp_path / "err")
    assert ((tmp_path / "out").read_text(), (tmp_path / "err").read_text()) == ("out\n", "err\n")


async def test_the_time_limit_kills_an_app(host: Host) -> None:
    container = await host.engine.create(host.plan(SLEEPS))
    ended = await asyncio.wait_for(host.engine.run(container, 0.5), PATIENCE_S)
    assert (ended.exit_code, ended.timed_out) == (137, True)


async def test_a_container_is_found_until_it_is_removed(host: Host) -> None:
    assert await host.engine.find(host.task_id) is None
    container = await host.engine.create(host.plan(SPEAKS))
    assert await host.engine.find(host.task_id) == container
    await host.engine.remove(host.task_id)
    assert await host.engine.find(host.task_id) is None
    await host.engine.remove(host.task_id)


async def test_an_ended_container_returns_its_end_again(host: Host) -> None:
    container = await host.engine.create(host.plan(SPEAKS))
    first = await host.engine.run(container, PATIENCE_S, new=True)
    again = await host.engine.run(container, PATIENCE_S)
    assert (again.exit_code, again.timed_out) == (first.exit_code, first.timed_out)


async def test_a_container_of_the_same_name_is_replaced(host: Host) -> None:
    first = await host.engine.create(host.plan(SLEEPS))
    second = await host.engine.create(host.plan(SPEAKS))
    assert first != second
    assert await host.engine.find(host.task_id) == second


async def test_a_missing_program_cannot_start(host: Host) -> None:
    container = await host.engine.create(host.plan(MISSING))
    with pytest.raises(AppCannotStart, match="no/such/program"):
        await host.engine.run(container, PATIENCE_S, new=True)


async def test_an_image_on_the_host_needs_no_pull(host: Host) -> None:
    await host.engine.ensure_image(host.image, 5)


async def test_an_image_without_registry_is_unavailable(host: Host) -> None:
    with pytest.raises((ImageUnavailable, RegistryRefused), match="no/such:image cannot be pulled"):
        await host.engine.ensure_image(NO_IMAGE, 30)


async def test_a_container_needs_an_image_on_the_host(host: Host) -> None:
    with pytest.raises(ImageUnavailable, match="no longer on this host"):
        await host.engine.create(host.plan(SPEAKS, image="workerpool-worker-tests:absent"))


async def test_output_is_followed_until_cancelled(host: Host, eventually: Eventually) -> None:
    container = await host.engine.create(host.plan(SPEAKS_AND_SLEEPS))
    running = asyncio.create_task(host.engine.run(container, PATIENCE_S, new=True))
    sink = Sink()
    following = asyncio.create_task(host.engine.follow_output(container, sink, from_now=False))
    await eventually(lambda: sink.data[OutputStream.STDOUT] == b"out\n")
    assert not following.done()
    for task in (following, running):
        task.cancel()
    await asyncio.gather(following, running, return_exceptions=True)
