"""The engine's options of an app's container: resources, privileges, network, log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.types import DeviceRequest, LogConfig, Ulimit

from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.containers.disk import DiskLimits

WORKER_LABEL, TASK_LABEL = "workerpool.worker", "workerpool.task"

_LOG_FILE_SIZE, _LOG_FILES = "10m", "2"
_OUT_OF_MEMORY_SCORE = 500
"""The host's kernel ends apps before the engine or the worker when memory runs out."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a container has of the host for itself, and what its labels and its environment say about it."""

    runtime: str = ""
    processors: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    resolv_conf: Path | None = None


def host_config(
    api: Any, plan: ContainerPlan, disk: DiskLimits, network: str, share: Share
) -> dict[str, Any]:
    """Return the engine's host configuration of an app's container.

    The engine's defaults add a seccomp profile, masked paths of `/proc` and `/sys`, private IPC, PID and mount
    namespaces. Two limits of the kernel bound what the checks of the disk cannot see in time: the largest size of
    one file, and the core dump. The number of open files is left to the engine, which cannot raise its own limit; what
    they cost counts as memory of the app.
    """
    largest_file = max(disk.app_bytes, plan.limits.memory_bytes)
    binds = dict(plan.binds)
    if share.resolv_conf is not None:
        binds[share.resolv_conf] = ("/etc/resolv.conf", True)
    config: dict[str, Any] = api.create_host_config(
        binds={
            str(path): {"bind": inside, "mode": "ro" if read_only else "rw"}
            for path, (inside, read_only) in binds.items()
        },
        network_mode=network,
        mem_limit=plan.limits.memory_bytes,
        memswap_limit=plan.limits.memory_bytes,
        # The files in /dev/shm count as memory of the app.
        shm_size=plan.limits.memory_bytes,
        nano_cpus=int(plan.limits.cpus * 1e9),
        cpuset_cpus=",".join(share.processors) or None,
        device_requests=[DeviceRequest(device_ids=list(share.gpus), capabilities=[["gpu"]])]
        if share.gpus
        else None,
        runtime=share.runtime or None,
        pids_limit=plan.limits.pids,
        oom_score_adj=_OUT_OF_MEMORY_SCORE,
        ulimits=[
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="fsize", soft=largest_file, hard=largest_file),
        ],
        ipc_mode="private",
        privileged=False,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        log_config=LogConfig(
            type=LogConfig.types.JSON, config={"max-size": _LOG_FILE_SIZE, "max-file": _LOG_FILES}
        ),
    )
    return config
