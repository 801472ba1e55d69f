"""Apps join the namespaces of idle containers, one app at a time."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from workerpool_devnet.processes.worker_containers import remove_worker_containers
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.network.isolated import IsolatedNetwork
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.domain.containers.app_network import AppNetworkRules
from workerpool_worker.domain.containers.sandbox_choice import SANDBOX_LABEL
from workerpool_worker.errors import SandboxLost

from services.worker.tests.harness import decoys as served
from services.worker.tests.harness.decoys import GLOBAL, METADATA, TCP_PORT
from services.worker.tests.harness.fixtures import MakeNetwork, MakePlan

pytestmark = pytest.mark.skipif(bool(served.why_not()), reason=served.why_not())


@pytest.fixture
def joined(wallet: str, network: IsolatedNetwork, app_image: str) -> Iterator[DockerEngine]:
    """An engine whose apps join the network."""
    engine = DockerEngine(wallet, network=network)
    yield engine
    engine.close()


def sandboxes(docker_client: Any, rules: AppNetworkRules) -> list[Any]:
    found: list[Any] = docker_client.containers.list(
        all=True, filters={"label": f"{SANDBOX_LABEL}={rules.network}"}
    )
    return found


async def test_apps_join_the_namespace_of_a_sandbox_and_use_it_one_after_the_other(
    joined: DockerEngine,
    rules: AppNetworkRules,
    plan: MakePlan,
    decoys: None,
    docker_client: Any,
    tmp_path: Path,
) -> None:
    targets = f"{GLOBAL} {TCP_PORT}", f"{METADATA} {TCP_PORT}"
    script = "; ".join(f"busybox nc -w 3 {target} </dev/null && echo {target}" for target in targets)
    for _ in range(3):
        container = await joined.create(plan("/bin/sh", "-c", f"ip route; {script}"))
        await joined.run(container, 60, new=True)
        await joined.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
        output = (tmp_path / "stdout").read_text()
        assert "default via" in output
        assert targets[0] in output
        assert targets[1] not in output
        assert len(sandboxes(docker_client, rules)) == 1


async def test_apps_that_run_at_once_share_no_namespace(
    joined: DockerEngine, rules: AppNetworkRules, plan: MakePlan, docker_client: Any
) -> None:
    plans = [replace(plan("/bin/sleep", "600"), name=f"worker-{uuid.uuid4().hex}") for _ in range(3)]
    containers = await asyncio.gather(*(joined.create(each) for each in plans))
    modes = {docker_client.api.inspect_container(each)["HostConfig"]["NetworkMode"] for each in containers}
    assert len(modes) == len(sandboxes(docker_client, rules)) == 3


async def test_a_sandbox_that_ended_is_replaced(
    joined: DockerEngine, rules: AppNetworkRules, plan: MakePlan, docker_client: Any
) -> None:
    for _ in range(2):
        container = await joined.create(plan("/bin/true"))
        assert (await joined.run(container, 60, new=True)).exit_code == 0
        sandboxes(docker_client, rules)[0].kill()
    assert len(sandboxes(docker_client, rules)) == 1


async def test_a_container_that_is_started_after_the_end_of_its_sandbox_is_distinguished(
    joined: DockerEngine, rules: AppNetworkRules, plan: MakePlan, docker_client: Any
) -> None:
    """Containers wait for the files of their task, and sandboxes end with the engine."""
    made = plan("/bin/true")
    container = await joined.create(made)
    sandboxes(docker_client, rules)[0].kill()
    with pytest.raises(SandboxLost):
        await joined.run(container, 60, new=True)
    sandboxes(docker_client, rules)[0].remove()
    with pytest.raises(SandboxLost):
        await joined.run(container, 60, new=True)
    assert (await joined.run(await joined.create(made), 60, new=True)).exit_code == 0


async def test_closing_keeps_the_sandbox_of_a_running_app_only(
    make: MakeNetwork, wallet: str, rules: AppNetworkRules, plan: MakePlan, docker_client: Any, tmp_path: Path
) -> None:
    """A stopped worker leaves its apps running for its next start."""
    network = make()
    await network.open()
    engine = DockerEngine(wallet, network=network)
    idle = await engine.create(replace(plan("/bin/true"), name=f"worker-{uuid.uuid4().hex}"))
    kept = plan("/bin/sleep", "600")
    await engine._start(await engine.create(kept))
    await engine.run(idle, 60, new=True)
    assert len(sandboxes(docker_client, rules)) == 2
    await network.close()
    assert len(sandboxes(docker_client, rules)) == 1
    assert docker_client.networks.list(names=[rules.network])
    again = make(shared=SharedUse(tmp_path, rules.network))
    await again.open()
    await engine.remove(kept.task_id)
    await again.close()
    assert sandboxes(docker_client, rules) == []
    assert not docker_client.networks.list(names=[rules.network])
    engine.close()


async def test_a_container_takes_the_sandbox_of_the_one_that_it_replaces(
    joined: DockerEngine,
    make: MakeNetwork,
    wallet: str,
    rules: AppNetworkRules,
    plan: MakePlan,
    docker_client: Any,
) -> None:
    """A worker that was killed before its apps started creates their containers again."""
    plans = [replace(plan("/bin/true"), name=f"worker-{uuid.uuid4().hex}") for _ in range(2)]
    await asyncio.gather(*(joined.create(each) for each in plans))
    network = make()
    await network.open()
    again = DockerEngine(wallet, network=network)
    await asyncio.gather(*(again.create(each) for each in plans))
    assert len(sandboxes(docker_client, rules)) == 2
    again.close()
    await network.close()


async def test_a_devnet_removes_the_sandboxes_of_its_killed_workers(
    joined: DockerEngine, rules: AppNetworkRules, plan: MakePlan, docker_client: Any
) -> None:
    await joined.create(plan("/bin/true"))
    await joined.remove(plan("/bin/true").task_id)
    assert len(sandboxes(docker_client, rules)) == 1
    remove_worker_containers([rules.network])
    assert sandboxes(docker_client, rules) == []
