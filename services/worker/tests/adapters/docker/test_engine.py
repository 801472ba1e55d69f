"""Containers on a real engine: limits, ends, output, re-attachment, clean-up."""

import asyncio
import gc
import socket
import time
import uuid
import warnings
from types import SimpleNamespace

import pytest
from workerpool_worker.adapters.docker import engine as docker_engine
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.errors import AppCannotStart, DockerUnavailable, ImageUnavailable

MIB = 1 << 20


async def output(engine, container, tmp_path):
    await engine.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    return (tmp_path / "stdout").read_text(), (tmp_path / "stderr").read_text()


async def test_exit_code_output_and_run_time(engine, plan, tmp_path):
    container = await engine.create(
        plan("/bin/sh", "-c", "echo out; echo err >&2; echo $IEXEC_OUT > /iexec_out/f; exit 7")
    )
    ended = await engine.run(container, 30)
    assert (ended.exit_code, ended.timed_out) == (7, False)
    assert 0 <= ended.run_time_s < 10
    assert await output(engine, container, tmp_path) == ("out\n", "err\n")
    assert (tmp_path / "out" / "f").read_text() == "/iexec_out\n"


async def test_container_gets_the_limits_of_its_slot_and_no_rights(engine, plan, docker_client):
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


async def test_app_cannot_write_its_input_nor_reach_the_docker_socket(engine, plan, tmp_path):
    (tmp_path / "in" / "data").write_text("given")
    script = (
        "cat /iexec_in/data; touch /iexec_in/x 2>/dev/null || echo refused; "
        "ls /var/run/docker.sock 2>/dev/null || echo none"
    )
    container = await engine.create(plan("/bin/sh", "-c", script))
    await engine.run(container, 30)
    assert (await output(engine, container, tmp_path))[0] == "givenrefused\nnone\n"


async def test_memory_hog_is_killed_and_the_engine_goes_on(engine, plan):
    container = await engine.create(
        plan(
            "/bin/sh",
            "-c",
            "yes | tr -d '\\n' | head -c 200000000 | sha256sum; x=$(yes | head -c 200000000); echo $x",
        )
    )
    assert (await engine.run(container, 30)).exit_code != 0


async def test_time_limit_kills_an_app_that_ignores_signals(engine, plan):
    container = await engine.create(plan("/bin/sh", "-c", "trap '' TERM INT; sleep 60 & wait; sleep 60"))
    began = time.monotonic()
    ended = await engine.run(container, 1.0)
    assert ended.timed_out
    assert ended.exit_code == 137
    assert time.monotonic() - began < 8


async def test_time_limit_counts_from_the_start_of_the_container_not_of_the_worker(
    engine, engine_of, wallet, plan
):
    container = await engine.create(plan("/bin/sleep", "60"))
    await engine._start(container)
    began = time.monotonic()
    await asyncio.sleep(1.2)  # the app runs while no worker watches
    ended = await engine_of(wallet).run(container, 1.0)
    assert ended.timed_out
    assert time.monotonic() - began < 8


async def test_time_limit_holds_although_the_machine_s_clock_is_set_back(engine, plan, monkeypatch):
    container = await engine.create(plan("/bin/sleep", "60"))
    an_hour_ago = SimpleNamespace(monotonic=time.monotonic, time=lambda: time.time() - 3600)
    monkeypatch.setattr(docker_engine, "time", an_hour_ago)
    ended = await asyncio.wait_for(engine.run(container, 1.0), 10)
    assert ended.timed_out


async def test_a_new_worker_process_finds_its_container_running_or_ended(engine, engine_of, wallet, plan):
    made = plan("/bin/sh", "-c", "exit 4")
    container = await engine.create(made)
    again = engine_of(wallet)
    assert await again.find(made.task_id) == container
    await engine.run(container, 30)
    assert await again.find(made.task_id) == container
    assert (await again.run(container, 30)).exit_code == 4
    assert await engine_of("another worker").find(made.task_id) is None


async def test_container_of_the_same_name_makes_way(engine, plan):
    first = await engine.create(plan("/bin/sleep", "60"))
    second = await engine.create(plan("/bin/true"))
    assert first != second
    assert (await engine.run(second, 30)).exit_code == 0


async def test_bad_command_is_the_app_s_problem(engine, plan):
    container = await engine.create(plan("/no/such/program"))
    with pytest.raises(AppCannotStart, match="no/such/program"):
        await engine.run(container, 30)


async def test_image_without_command_is_the_app_s_problem(engine, plan):
    with pytest.raises(AppCannotStart, match=r"(?i)no command"):
        await engine.create(plan())


async def test_output_of_a_chatterbox_is_bounded(engine, plan, tmp_path):
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


async def test_remove_kills_what_runs_and_removing_nothing_is_fine(engine, plan):
    made = plan("/bin/sleep", "60")
    container = await engine.create(made)
    await engine._start(container)
    await engine.remove(made.task_id)
    assert await engine.find(made.task_id) is None
    await engine.remove(made.task_id)


async def test_only_own_leftovers_are_removed(engine, engine_of, plan):
    made = plan("/bin/true")
    await engine.create(made)
    stranger = engine_of("another worker")
    assert await stranger.remove_others(frozenset()) == []
    assert await engine.remove_others(frozenset({made.task_id})) == []
    assert await engine.remove_others(frozenset()) == [made.task_id]


async def test_image_that_is_here_is_not_pulled(engine, app_image):
    await engine.ensure_image(app_image, 5)


async def test_image_that_is_nowhere(engine):
    with pytest.raises(ImageUnavailable, match=r"127\.0\.0\.1:9/no/such:image"):
        await engine.ensure_image("127.0.0.1:9/no/such:image", 30)


async def test_registry_that_hangs_is_given_up(engine):
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen()
        image = f"127.0.0.1:{hanging.getsockname()[1]}/app:1"
        with pytest.raises(ImageUnavailable, match="did not arrive within 1 s"):
            await engine.ensure_image(image, 1)


async def test_engine_that_is_away_is_named():
    with pytest.raises(DockerUnavailable, match="does not answer") as raised:
        await DockerEngine("w", base_url="unix:///nowhere.sock").version()
    del raised
    # The SDK forgets to close a socket that could not connect.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def test_a_worker_of_the_same_name_leaves_anothers_container_alone(engine, engine_of, plan):
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
