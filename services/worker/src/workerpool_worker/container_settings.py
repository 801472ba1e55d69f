"""Settings of what apps run with: the engine's runtime, GPUs, processors of their own."""

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from workerpool_kit.settings.base import env

from workerpool_worker.domain.containers.gpus import GPU_ID, gpu_problem

_RUNTIME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]*")


class ContainerSettings(BaseModel):
    """Mix-in of the worker's settings."""

    model_config = ConfigDict(frozen=True)

    container_runtime: str = env(
        "IEXEC_WORKER_CONTAINER_RUNTIME",
        "",
        doc="The engine's runtime of apps, such as runc, runsc (gVisor), kata-runtime or sysbox-runc; unset means the "
        "engine's default, which is runc unless its operator changed it",
    )
    gpu_enabled: bool = env(
        "IEXEC_WORKER_GPU_ENABLED",
        False,
        doc="Whether to accept tasks that require a GPU, if this host has one: each gets its own GPUs, and the "
        "worker computes one task at a time",
    )
    gpu_ids: tuple[str, ...] = env(
        "WORKERPOOL_WORKER_GPU_IDS",
        (),
        doc="GPUs for apps, by the ids that the engine knows: an index or a UUID; unset means all that nvidia-smi "
        "lists. Workers of one engine that call a GPU alike never give it to two apps",
    )
    gpus_per_task: Annotated[int, Field(gt=0)] = env(
        "WORKERPOOL_WORKER_GPUS_PER_TASK", 1, doc="Number of GPUs that a task gets if it requires one"
    )
    app_cpu_sets: bool = env(
        "WORKERPOOL_WORKER_APP_CPU_SETS",
        False,
        doc="Whether each app has a processor for itself (a CPU set). Only the processors that this worker may use are "
        "given, so its CPU affinity or cpuset divides a host among workers; otherwise apps share all processors",
    )

    @field_validator("container_runtime")
    @classmethod
    def _runtime_is_a_name(cls, value: str) -> str:
        if value and not _RUNTIME.fullmatch(value):
            raise ValueError("expected the name of a runtime as the engine lists it, such as runsc")
        return value

    @field_validator("gpu_ids")
    @classmethod
    def _gpus_are_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(GPU_ID.fullmatch, value)):
            raise ValueError("expected GPUs by index or UUID, such as 0,1 or GPU-5d2c3a4e")
        if len(set(value)) < len(value):
            raise ValueError("name each GPU once: two apps would share it")
        return value

    @model_validator(mode="after")
    def _a_task_gets_its_gpus(self) -> Self:
        if self.gpu_ids and (defect := gpu_problem(self.gpu_ids, self.gpus_per_task)):
            raise ValueError(
                f"WORKERPOOL_WORKER_GPU_IDS: {defect}; name more, or lower WORKERPOOL_WORKER_GPUS_PER_TASK"
            )
        return self
