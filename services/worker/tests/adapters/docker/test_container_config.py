"""The engine's options of an app's container."""

from pathlib import Path

import docker
import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.adapters.docker.container_config import Share, host_config
from workerpool_worker.adapters.docker.network.kinds import NamedNetwork
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.domain.host import SlotLimits

GIB = 1 << 30


@pytest.mark.parametrize(("memory", "largest"), [(2 * GIB, 10 * GIB), (64 * GIB, 64 * GIB)])
def test_one_file_may_be_as_large_as_the_disk_cap_or_the_shared_memory(memory: int, largest: int) -> None:
    plan = ContainerPlan(
        TaskId("0x1"), "n", "i", (), {}, {Path("/in"): ("/iexec_in", True)}, SlotLimits(1.0, memory, 10)
    )
    api = docker.APIClient(version="1.41")
    config = host_config(api, plan, DiskLimits(10 * GIB), NamedNetwork("none").mode, Share())
    api.close()
    limits = {limit["Name"]: limit["Hard"] for limit in config["Ulimits"]}
    assert limits["fsize"] == largest
    assert config["ShmSize"] == memory
    assert config["Binds"] == ["/in:/iexec_in:ro"]
    assert not config.get("Privileged")
