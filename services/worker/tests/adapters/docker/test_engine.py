"""Containers on a Docker engine: limits, ends, output, reattachment, cleanup."""

import asyncio
import gc
import socket
import time
import uuid
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from workerpool_worker.adapters.docker import engine as docker_engine
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.errors import AppCannotStart, DockerUnavailable, ImageUnavailable

from services.worker.tests.harness.fixtures import MakeEngine, MakePlan

MIB = 1 << 20


async def output(engine: DockerEngine, container: str, tmp_path: Path) -> tuple[str, str]:
    await engine.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    return (tmp_path / "stdout").read_text(), (tmp_path / "stderr").read_text()


async def test_exit_code_output_and_run_time(engine: DockerEngine, plan: MakePlan, tmp_path: Path) -> None:
    container = await engine.create(
        plan("/bin/sh", "-c", "echo out; echo err >&2; echo $IEXEC_OUT > /iexec_out/f; exit 7")
    )
    ended = await engine.run(container, 30)
    assert (ended.exit_code, ended.timed_out) == (7, False)
    assert 0 <= ended.run_time_s < 10
    assert await output(engine, container, tmp_path) == ("out\n", "err\n")
    assert (tmp_path / "out" / "f").read_text() == "/iexec_out\n"


async def test_a_container_has_its_slots_limits_and_no_capabilities(
    engine: DockerEngine, plan: MakePlan, docker_client: Any
) -> None:
    container = await engine.create(plan("/bin/true"))
    config = docker_client.api.inspect_container(container)["HostConfig"]
    assert config["NanoCpus"] == 10**9
    assert config["Memory"] == config["MemorySwap"] == 64 * MIB
    assert config["PidsLimit"] == 64
    assert config["CapDrop"] == ["ALL"]
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert config["NetworkMode"] in ("default", "bridge")
    assert config["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}}
    assert not config["Privileged"]


async def test_an_app_reaches_neither_its_input_for_writing_nor_the_socket(
    engine: DockerEngine, plan: MakePlan, tmp_path: Path
) -> None:
    (tmp_path / "in" / "data").write_text("given")
    script = (
        "cat /iexec_in/data; touch /iexec_in/x 2>/dev/null || echo refused; "
        "ls /var/run/docker.sock 2>/dev/null || echo none"
    )
    container = await engine.create(plan("/bin/sh", "-c", script))
    await engine.run(container, 30)
    assert (await output(engine, container, tmp_path))[0] == "givenrefused\nnone\n"


async def test_an_app_beyond_its_memory_is_killed(engine: DockerEngine, plan: MakePlan) -> None:
    container = await engine.create(
        plan(
            "/bin/sh",
            "-c",
            "yes | tr -d '\\n' | head -c 200000000 | sha256sum; x=$(yes | head -c 200000000); echo $x",
        )
    )
    assert (await engine.run(container, 30)).exit_code != 0


async def test_the_time_limit_kills_an_app_that_ignores_signals(engine: DockerEngine, plan: MakePlan) -> None:
    container = await engine.create(plan("/bin/sh", "-c", "trap '' TERM INT; sleep 60 & wait; sleep 60"))
    began = time.monotonic()
    ended = await engine.run(container, 1.0)
    assert ended.timed_out
    assert ended.exit_code == 137
    assert time.monotonic() - began < 8


async def test_the_time_limit_counts_from_the_containers_start(
    engine: DockerEngine, engine_of: MakeEngine, wallet: str, plan: MakePlan
) -> None:
    container = await engine.create(plan("/bin/sleep", "60"))
    await engine._start(container)
    began = time.monotonic()
    await asyncio.sleep(1.2)  # The app runs while no worker observes it.
    ended = await engine_of(wallet).run(container, 1.0)
    assert ended.timed_out
    assert time.monotonic() - began < 8


async def test_the_time_limit_survives_a_change_of_the_clock(
    engine: DockerEngine, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = await engine.create(plan("/bin/sleep", "60"))
    an_hour_ago = SimpleNamespace(monotonic=time.monotonic, time=lambda: time.time() - 3600)
    monkeypatch.setattr(docker_engine, "time", an_hour_ago)
    ended = await asyncio.wait_for(engine.run(container, 1.0), 10)
    assert ended.timed_out


async def test_a_new_worker_process_finds_its_container(
    engine: DockerEngine, engine_of: MakeEngine, wallet: str, plan: MakePlan
) -> None:
    made = plan("/bin/sh", "-c", "exit 4")
    container = await engine.create(made)
    again = engine_of(wallet)
    assert await again.find(made.task_id) == container
    await engine.run(container, 30)
    assert await again.find(made.task_id) == container
    assert (await again.run(container, 30)).exit_code == 4
    assert await engine_of("another worker").find(made.task_id) is None


async def test_a_container_of_the_same_name_is_replaced(engine: DockerEngine, plan: MakePlan) -> None:
    first = await engine.create(plan("/bin/sleep", "60"))
    second = await engine.create(plan("/bin/true"))
    assert first != second
    assert (await engine.run(second, 30)).exit_code == 0


async def test_a_missing_program_cannot_start(engine: DockerEngine, plan: MakePlan) -> None:
    container = await engine.create(plan("/no/such/program"))
    with pytest.raises(AppCannotStart, match="no/such/program"):
        await engine.run(container, 30)


async def test_an_image_without_command_cannot_start(engine: DockerEngine, plan: MakePlan) -> None:
    with pytest.raises(AppCannotStart, match=r"(?i)no command"):
        await engine.create(plan())


async def test_logged_output_is_bounded(engine: DockerEngine, plan: MakePlan, tmp_path: Path) -> None:
    container = await engine.create(
        plan(
            "/bin/sh",
            "-c",
            "yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -c 30000000; echo last",
        )
    )
    await engine.run(container, 60)
    text, _ = await output(engine, container, tmp_path)
    assert len(text) < 21_000_000
    assert text.endswith("last\n")


async def test_remove_kills_a_running_container_and_is_idempotent(
    engine: DockerEngine, plan: MakePlan
) -> None:
    made = plan("/bin/sleep", "60")
    container = await engine.create(made)
    await engine._start(container)
    await engine.remove(made.task_id)
    assert await engine.find(made.task_id) is None
    await engine.remove(made.task_id)


async def test_only_the_workers_own_leftovers_are_removed(
    engine: DockerEngine, engine_of: MakeEngine, plan: MakePlan
) -> None:
    made = plan("/bin/true")
    await engine.create(made)
    stranger = engine_of("another worker")
    assert await stranger.remove_others(frozenset()) == []
    assert await engine.remove_others(frozenset({made.task_id})) == []
    assert await engine.remove_others(frozenset()) == [made.task_id]


async def test_an_image_on_the_host_is_not_pulled(engine: DockerEngine, app_image: str) -> None:
    await engine.ensure_image(app_image, 5)


async def test_an_image_without_registry_is_unavailable(engine: DockerEngine) -> None:
    with pytest.raises(ImageUnavailable, match=r"127\.0\.0\.1:9/no/such:image"):
        await engine.ensure_image("127.0.0.1:9/no/such:image", 30)


async def test_a_hanging_registry_is_given_up(engine: DockerEngine) -> None:
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen()
        image = f"127.0.0.1:{hanging.getsockname()[1]}/app:1"
        with pytest.raises(ImageUnavailable, match="did not arrive within 1 s"):
            await engine.ensure_image(image, 1)


async def test_an_absent_engine_is_unavailable() -> None:
    with pytest.raises(DockerUnavailable, match="does not answer") as raised:
        await DockerEngine("w", base_url="unix:///nowhere.sock").version()
    del raised
    # The SDK does not close a socket that could not connect.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def test_a_worker_of_the_same_name_keeps_its_container(
    engine: DockerEngine, engine_of: MakeEngine, plan: MakePlan
) -> None:
    other = engine_of(f"test-{uuid.uuid4().hex}")
    task = plan("/bin/true").task_id
    theirs = await other.create(plan("/bin/sleep", "30"))
    try:
        ours = await engine.create(plan("/bin/true"))
        again = await engine.create(plan("/bin/true"))
        assert len({theirs, ours, again}) == 3
        assert await other.find(task) == theirs
        assert await engine.find(task) == again
    finally:
        await other.remove(task)
