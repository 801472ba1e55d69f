"""The special hardware that tasks require and that workers have."""

from functools import lru_cache
from typing import NamedTuple

from workerpool_poco.protocol.tags import TeeFramework, requires_gpu, tee_framework

from workerpool_core.domain.model import WorkerModel


class Requirement(NamedTuple):
    """The special hardware that a task's tag requires; `framework` is None for a standard task."""

    framework: TeeFramework | None
    gpu: bool


class Capability(NamedTuple):
    """The special hardware of a worker."""

    sgx: bool
    tdx: bool
    gpu: bool

    def meets(self, requirement: Requirement) -> bool:
        """Return whether a worker with this hardware can run a task with this requirement."""
        if requirement.gpu and not self.gpu:
            return False
        if requirement.framework is None:
            return True
        return self.tdx if requirement.framework is TeeFramework.TDX else self.sgx

    @property
    def scarcity(self) -> int:
        """The number of special features; standard tasks go to workers with the fewest."""
        return self.sgx + self.tdx + self.gpu


@lru_cache(maxsize=4096)
def requirement_of(tag: str) -> Requirement:
    """Return the hardware that a tag requires."""
    return Requirement(tee_framework(tag), requires_gpu(tag))


def needs_enclave(tag: str) -> bool:
    """Return whether a tag requires a known enclave framework; a task with any other tag is standard."""
    return requirement_of(tag).framework is not None


def capability_of(model: WorkerModel) -> Capability:
    """Return the special hardware of a worker."""
    return Capability(model.sgx, model.tdx, model.gpus > 0)
