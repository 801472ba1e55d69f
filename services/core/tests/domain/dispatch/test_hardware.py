"""Tasks require hardware by their tag, and workers have it by their model."""

import pytest
from workerpool_core.domain.dispatch.hardware import (
    Capability,
    Requirement,
    capability_of,
    needs_enclave,
    requirement_of,
)
from workerpool_core.domain.model import WorkerModel
from workerpool_poco.protocol.tags import TeeFramework

STANDARD, SCONE, GRAMINE, TDX, GPU = (f"0x{tag:064x}" for tag in (0, 3, 5, 9, 0x100))


@pytest.mark.parametrize(
    ("tag", "requirement"),
    [
        (STANDARD, Requirement(None, gpu=False)),
        (SCONE, Requirement(TeeFramework.SCONE, gpu=False)),
        (GRAMINE, Requirement(TeeFramework.GRAMINE, gpu=False)),
        (TDX, Requirement(TeeFramework.TDX, gpu=False)),
        (GPU, Requirement(None, gpu=True)),
    ],
)
def test_a_tag_gives_the_requirement(tag: str, requirement: Requirement) -> None:
    assert requirement_of(tag) == requirement
    assert needs_enclave(tag) is (requirement.framework is not None)


@pytest.mark.parametrize(
    ("capability", "tags"),
    [
        (Capability(sgx=False, tdx=False, gpu=False), {STANDARD}),
        (Capability(sgx=True, tdx=False, gpu=False), {STANDARD, SCONE, GRAMINE}),
        (Capability(sgx=False, tdx=True, gpu=False), {STANDARD, TDX}),
        (Capability(sgx=False, tdx=False, gpu=True), {STANDARD, GPU}),
        (Capability(sgx=True, tdx=True, gpu=True), {STANDARD, SCONE, GRAMINE, TDX, GPU}),
    ],
)
def test_a_worker_meets_the_requirements_of_its_hardware(capability: Capability, tags: set[str]) -> None:
    all_tags = (STANDARD, SCONE, GRAMINE, TDX, GPU)
    assert {tag for tag in all_tags if capability.meets(requirement_of(tag))} == tags
    assert capability.scarcity == sum((capability.sgx, capability.tdx, capability.gpu))


def test_any_number_of_gpus_is_one_feature() -> None:
    model = WorkerModel("w", "1", "linux", "x86", slots=1, memory_bytes=1, gpus=8, sgx=True)
    assert capability_of(model) == Capability(sgx=True, tdx=False, gpu=True)
