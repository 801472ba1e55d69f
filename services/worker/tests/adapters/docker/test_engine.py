"""Containers on a Docker engine: limits, ends, output, reattachment, cleanup."""

import asyncio
import gc
import time
import uuid
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters.docker import engine as docker_engine
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.errors import AppCannotStart, DockerUnavailable, RegistryRefused

from services.worker.tests.harness.fixtures import MakeEngine, MakePlan

MIB = 1 << 20


async def output(engine: DockerEngine, container: str, tmp_path: Path) -> tuple[str, str]:
    await engine.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    return (tmp_path / "stdout").read_text(), (tmp_path / "stderr").read_text()


async def test_exit_code_output_and_run_time(engine: DockerEngine, plan: MakePlan, tmp_path: Path) -> None:
    container = await engine.create(
        plan("/bin/sh", "-c", "echo out; echo err >&2; echo $IEXEC_OUT > /iexec_out/f; exit 7")
    )
    began = time.monotonic()
    ended = await engine.run(container, PATIENCE_S)
    assert (ended.exit_code, ended.timed_out) == (7, False)
    assert 0 <= ended.run_time_s <= time.monotonic() - began
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
    assert config["NetworkMode"] == "none"
    assert config["ShmSize"] == 64 * MIB
    assert (config["IpcMode"], config["PidMode"], config["UsernsMode"]) == ("private", "", "")
    assert config["OomScoreAdj"] > 0
    limits = {limit["Name"]: limit["Hard"] for limit in config["Ulimits"]}
    assert limits == {"core": 0, "fsize": DiskLimits().app_bytes}
    assert "/proc/kcore" in config["MaskedPaths"]
    assert "/proc/sys" in config["ReadonlyPaths"]
    assert not config["Devices"]
    assert config["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}}
    assert not config["Privileged"]


async def test_app_shm_is_as_large_as_the_slot(engine: DockerEngine, plan: MakePlan, tmp_path: Path) -> None:
    """Case app-shm."""
    script = "dd if=/dev/zero of=/dev/shm/x bs=1M count=200 2>/dev/null && echo ok > /iexec_out/r"
    made = plan("/bin/sh", "-c", script, limits=SlotLimits(1.0, 512 * MIB, 64))
    assert (await engine.run(await engine.create(made), PATIENCE_S, new=True)).exit_code == 0
    assert (tmp_path / "out" / "r").read_text() == "ok\n"


async def test_app_shm_counts_as_memory_of_the_slot(engine: DockerEngine, plan: MakePlan) -> None:
    """Case app-shm, sibling: shared memory beyond the slot ends the app, not the host."""
    script = "dd if=/dev/zero of=/dev/shm/x bs=1M count=40; dd if=/dev/zero of=/dev/shm/y bs=1M count=40"
    ended = await engine.run(await engine.create(plan("/bin/sh", "-c", script)), PATIENCE_S, new=True)
    assert ended.exit_code != 0


async def test_an_app_leaves_no_core_dump(engine: DockerEngine, plan: MakePlan, tmp_path: Path) -> None:
    script = "ulimit -c; cd /iexec_out; sh -c 'kill -SEGV $$'; echo $?"
    container = await engine.create(plan("/bin/sh", "-c", script))
    await engine.run(container, PATIENCE_S, new=True)
    assert (await output(engine, container, tmp_path))[0] == "0\n139\n"
    assert list((tmp_path / "out").iterdir()) == []


async def test_an_app_has_no_network_unless_the_engine_joined_one(
    engine: DockerEngine, plan: MakePlan, tmp_path: Path
) -> None:
    container = await engine.create(plan("/bin/sh", "-c", "ls /sys/class/net"))
    await engine.run(container, PATIENCE_S, new=True)
    assert (await output(engine, container, tmp_path))[0] == "lo\n"


async def test_an_app_reaches_neither_its_input_for_writing_nor_the_socket(
    engine: DockerEngine, plan: MakePlan, tmp_path: Path
) -> None:
    (tmp_path / "in" / "data").write_text("given")
    script = (
        "cat /iexec_in/data; touch /iexec_in/x 2>/dev/null || echo refused; "
        "ls /var/run/docker.sock 2>/dev/null || echo none"
    )
    container = await engine.create(plan("/bin/sh", "-c", script))
    await engine.run(container, PATIENCE_S)
    assert (await output(engine, container, tmp_path))[0] == "givenrefused\nnone\n"


async def test_the_time_limit_kills_an_app_without_asking_it_to_end(
    engine: DockerEngine, plan: MakePlan, tmp_path: Path
) -> None:
    """Scenario 14: over time limit; the logs are still there."""
    script = "trap 'echo asked' TERM INT; echo up; while true; do sleep 0.1; done"
    container = await engine.create(plan("/bin/sh", "-c", script))
    ended = await asyncio.wait_for(engine.run(container, 1.0), PATIENCE_S)
    assert ended.timed_out
    assert ended.exit_code == 137
    assert await output(engine, container, tmp_path) in (("up\n", ""), ("", ""))


async def test_the_time_limit_counts_from_the_containers_start(
    engine: DockerEngine, engine_of: MakeEngine, wallet: str, plan: MakePlan
) -> None:
    container = await engine.create(plan("/bin/sleep", "600"))
    await engine._start(container)
    ran_s = 2.0
    await asyncio.sleep(ran_s + 0.1)  # The app runs while no worker observes it.
    began = time.monotonic()
    ended = await engine_of(wallet).run(container, ran_s)
    assert ended.timed_out
    # A limit that counts from here ends later, also on a slow machine, where the container has run even longer.
    assert time.monotonic() - began < ran_s


async def test_the_time_limit_survives_a_change_of_the_clock(
    engine: DockerEngine, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = await engine.create(plan("/bin/sleep", "600"))
    an_hour_ago = SimpleNamespace(monotonic=time.monotonic, time=lambda: time.time() - 3600)
    monkeypatch.setattr(docker_engine, "time", an_hour_ago)
    ended = await asyncio.wait_for(engine.run(container, 1.0), PATIENCE_S)
    assert ended.timed_out


async def test_a_new_worker_process_finds_its_container(
    engine: DockerEngine, engine_of: MakeEngine, wallet: str, plan: MakePlan
) -> None:
    """Scenario 15: the engine's labels are the worker's record, which outlives its process."""
    made = plan("/bin/sh", "-c", "exit 4")
    container = await engine.create(made)
    again = engine_of(wallet)
    assert await again.find(made.task_id) == container
    await engine.run(container, PATIENCE_S)
    assert await again.find(made.task_id) == container
    assert (await again.run(container, PATIENCE_S)).exit_code == 4
    assert await engine_of("another worker").find(made.task_id) is None


async def test_a_container_of_the_same_name_is_replaced(engine: DockerEngine, plan: MakePlan) -> None:
    """Scenario 14: the duplicate name of an earlier attempt."""
    first = await engine.create(plan("/bin/sleep", "600"))
    second = await engine.create(plan("/bin/true"))
    assert first != second
    assert (await engine.run(second, PATIENCE_S)).exit_code == 0


async def test_a_missing_program_cannot_start(engine: DockerEngine, plan: MakePlan) -> None:
    """Scenario 14: bad command."""
    container = await engine.create(plan("/no/such/program"))
    with pytest.raises(AppCannotStart, match="no/such/program"):
        await engine.run(container, PATIENCE_S)


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
    await engine.run(container, PATIENCE_S)
    text, _ = await output(engine, container, tmp_path)
    assert len(text) < 21_000_000
    assert text.endswith("last\n")


async def test_remove_kills_a_running_container_and_is_idempotent(
    engine: DockerEngine, plan: MakePlan
) -> None:
    made = plan("/bin/sleep", "600")
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
    """Scenario 11: a cached image needs no pull, so none can fail."""
    await engine.ensure_image(app_image, 5)


async def test_a_registry_that_refuses_connections_is_named(engine: DockerEngine) -> None:
    with pytest.raises(RegistryRefused, match=r"127\.0\.0\.1:9/no/such:image"):
        await engine.ensure_image("127.0.0.1:9/no/such:image", 30)


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
    theirs = await other.create(plan("/bin/sleep", "600"))
    try:
        ours = await engine.create(plan("/bin/true"))
        again = await engine.create(plan("/bin/true"))
        assert len({theirs, ours, again}) == 3
        assert await other.find(task) == theirs
        assert await engine.find(task) == again
    finally:
        await other.remove(task)
