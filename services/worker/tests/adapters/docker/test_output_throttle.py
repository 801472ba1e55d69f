"""An app that floods its output is paused, costs the engine little, and ends as any other app does."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters import cgroups
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.output_throttle import LogSize

from services.worker.tests.harness.fixtures import MakePlan
from services.worker.tests.harness.waiting import Eventually

RATE = 1 << 20
FLOOD = "echo begun >&2; yes flood"

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT ROOT: only root reads the engine's logs and pauses apps"
)


@pytest.fixture
async def throttled(app_image: str, wallet: str) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(wallet, output_rate=RATE)
    await engine.host()
    yield engine
    engine.close()


# --- size of a log -------------------------------------------------------------------------------


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "log"


def rotate(log_file: Path) -> None:
    log_file.rename(f"{log_file}.1")


def append(log_file: Path, size: int) -> None:
    with log_file.open("ab") as file:
        file.write(bytes(size))


def test_a_log_grows(log_file: Path) -> None:
    size = LogSize(log_file)
    assert size.grown() == 0
    append(log_file, 10)
    assert (size.grown(), size.grown()) == (10, 0)
    append(log_file, 5)
    assert size.grown() == 5


def test_a_log_that_is_rotated_counts_both_files(log_file: Path) -> None:
    size = LogSize(log_file)
    append(log_file, 10)
    size.grown()
    append(log_file, 90)
    rotate(log_file)
    append(log_file, 7)
    assert size.grown() == 97


def test_a_log_that_is_rotated_twice_counts_the_files_that_are_left(log_file: Path) -> None:
    size = LogSize(log_file)
    append(log_file, 10)
    size.grown()
    for _ in range(2):
        rotate(log_file)
        append(log_file, 100)
    assert size.grown() == 200


def test_a_log_in_the_middle_of_a_rotation_is_counted_later(log_file: Path) -> None:
    size = LogSize(log_file)
    append(log_file, 10)
    size.grown()
    rotate(log_file)
    assert size.grown() == 0
    append(log_file, 3)
    assert size.grown() == 3


# --- containers ----------------------------------------------------------------------------------


def is_paused(container: str) -> bool:
    """Whether the kernel reports a container as paused."""
    for file in ("docker/{}/cgroup.freeze", "freezer/docker/{}/freezer.state"):
        path = cgroups.CGROUPS / file.format(container)
        if path.exists():
            return path.read_text().strip() in ("1", "FROZEN", "FREEZING")
    return False


@needs_root
async def test_a_flood_prints_its_rate_and_ends_at_its_time_limit(
    throttled: DockerEngine, plan: MakePlan, tmp_path: Path, eventually: Eventually
) -> None:
    began = time.monotonic()
    container = await throttled.create(plan("/bin/sh", "-c", FLOOD))
    running = asyncio.create_task(throttled.run(container, 6, new=True))
    await eventually(lambda: is_paused(container))
    paused_s = time.monotonic() - began
    ended = await running
    assert (ended.timed_out, ended.exit_code, ended.slowed_to) == (True, 137, RATE)
    # The time until the first pause measures the machine.
    late_s = max(5.0, 5 * paused_s)
    assert ended.run_time_s < 6 + late_s
    assert time.monotonic() - began < paused_s + 6 + late_s
    await throttled.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    printed = (tmp_path / "stdout").read_text()
    assert 0 <= 50_000 - printed.count("\n") <= 1, "only the newest lines are copied"
    assert len(printed) >= 100_000


@needs_root
async def test_a_large_output_within_the_allowance_is_neither_paused_nor_cut(
    throttled: DockerEngine, plan: MakePlan, tmp_path: Path
) -> None:
    container = await throttled.create(plan("/bin/sh", "-c", "yes flood | head -n 150000"))
    ended = await throttled.run(container, PATIENCE_S, new=True)
    assert (ended.exit_code, ended.slowed_to) == (0, 0)
    await throttled.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    assert (tmp_path / "stdout").read_text() == "flood\n" * 150_000


@needs_root
async def test_an_app_that_prints_more_than_its_allowance_ends_well(
    throttled: DockerEngine, plan: MakePlan, tmp_path: Path, eventually: Eventually
) -> None:
    script = "while [ ! -e /iexec_out/stop ]; do yes flood | head -n 30000; sleep 0.2; done; echo last"
    container = await throttled.create(plan("/bin/sh", "-c", script))
    running = asyncio.create_task(throttled.run(container, PATIENCE_S, new=True))
    await eventually(lambda: is_paused(container))
    (tmp_path / "out/stop").touch()
    ended = await running
    assert (ended.exit_code, ended.timed_out, ended.slowed_to) == (0, False, RATE)
    await throttled.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    assert (tmp_path / "stdout").read_text().endswith("last\n")


@needs_root
async def test_a_paused_app_is_removed_at_once(
    throttled: DockerEngine, plan: MakePlan, eventually: Eventually, docker_client: Any
) -> None:
    made = plan("/bin/sh", "-c", FLOOD)
    container = await throttled.create(made)
    running = asyncio.create_task(throttled.run(container, PATIENCE_S, new=True))
    await eventually(lambda: is_paused(container))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not is_paused(container), "no worker watches it any more"
    await throttled.remove(made.task_id)
    assert await throttled.find(made.task_id) is None


@needs_root
async def test_an_app_that_a_killed_worker_left_paused_runs_on(
    throttled: DockerEngine, plan: MakePlan, eventually: Eventually
) -> None:
    container = await throttled.create(plan("/bin/sh", "-c", "sleep 1; exit 3"))
    await throttled._start(container)
    assert cgroups.pause(container)
    await eventually(lambda: is_paused(container))
    assert (await throttled.run(container, PATIENCE_S)).exit_code == 3


@needs_root
async def test_an_app_that_a_killed_worker_left_paused_is_removed(
    throttled: DockerEngine, plan: MakePlan, eventually: Eventually
) -> None:
    made = plan("/bin/sleep", "600")
    container = await throttled.create(made)
    await throttled._start(container)
    assert cgroups.pause(container)
    await eventually(lambda: is_paused(container))
    await throttled.remove(made.task_id)
    assert await throttled.find(made.task_id) is None
