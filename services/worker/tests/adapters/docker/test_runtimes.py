"""Runtimes, GPUs and processors of apps on the real engine, which has no GPU here."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.domain.containers.division import HostDivision
from workerpool_worker.domain.containers.engine_host import runtime_problem
from workerpool_worker.errors import HostDeviceUnavailable

from services.worker.tests.harness.fixtures import MakePlan

ALLOWED = sorted(os.sched_getaffinity(0))


async def printed(engine: DockerEngine, container: str, tmp_path: Path) -> str:
    """Run a container and return what it prints."""
    ended = await engine.run(container, PATIENCE_S, new=True)
    await engine.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    assert ended.exit_code == 0, (tmp_path / "stderr").read_text()
    return (tmp_path / "stdout").read_text()


async def test_the_engine_describes_its_host(engine: DockerEngine) -> None:
    host = await engine.host()
    assert host.processors >= 1
    assert host.memory_bytes > 1 << 28
    assert runtime_problem(host.default_runtime, host.runtimes) == ""
    assert runtime_problem("no-such-runtime", host.runtimes)


async def test_an_app_runs_with_the_runtime_that_is_named(
    engine: DockerEngine, plan: MakePlan, docker_client: Any, tmp_path: Path
) -> None:
    default = (await engine.host()).default_runtime
    engine.divide(HostDivision(runtime=default))
    container = await engine.create(plan("/bin/sh", "-c", "echo ran"))
    assert docker_client.api.inspect_container(container)["HostConfig"]["Runtime"] == default
    assert await printed(engine, container, tmp_path) == "ran\n"


async def test_a_runtime_that_the_engine_lost_is_no_fault_of_the_app(
    engine: DockerEngine, plan: MakePlan
) -> None:
    engine.divide(HostDivision(runtime="no-such-runtime"))
    with pytest.raises(HostDeviceUnavailable, match=r"no-such-runtime.*IEXEC_WORKER_CONTAINER_RUNTIME"):
        await engine.run(await engine.create(plan("/bin/true")), PATIENCE_S, new=True)


@pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="A GPU: the engine's refusal was not seen")
async def test_a_gpu_that_the_engine_cannot_hand_over_is_no_fault_of_the_app(
    engine: DockerEngine, plan: MakePlan
) -> None:
    engine.divide(HostDivision(gpus=("GPU-a",)))
    with pytest.raises(HostDeviceUnavailable, match=r"could not select device driver.*GPU_ENABLED"):
        await engine.run(await engine.create(plan("/bin/true", gpus=1)), PATIENCE_S, new=True)


async def test_an_app_is_kept_on_its_own_processor(
    engine: DockerEngine, plan: MakePlan, docker_client: Any, tmp_path: Path
) -> None:
    own = str(ALLOWED[-1])
    engine.divide(HostDivision(processors=(own,)))
    container = await engine.create(
        plan("/bin/sh", "-c", "while read l; do echo $l; done < /proc/self/status")
    )
    config = docker_client.api.inspect_container(container)["HostConfig"]
    assert (config["CpusetCpus"], config["NanoCpus"]) == (own, 10**9)
    assert f"Cpus_allowed_list: {own}\n" in await printed(engine, container, tmp_path)


async def test_a_processor_that_the_host_lost_is_no_fault_of_the_app(
    engine: DockerEngine, plan: MakePlan
) -> None:
    engine.divide(HostDivision(processors=("4095",)))
    with pytest.raises(HostDeviceUnavailable, match="4095"):
        await engine.create(plan("/bin/true"))
