"""GPUs by the ids that the engine knows."""

import pytest
from workerpool_worker.domain.containers.gpus import GPU_ID, gpu_problem, parse_gpus

FIRST = "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d2c3a4e-1111-2222-3333-444455556666)\n"
SECOND = "GPU 1: Tesla T4 (UUID: GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeffff0000)\n"
PARTS = (
    "  MIG 1g.5gb      Device  0: (UUID: MIG-11111111-2222-3333-4444-555555555555)\n"
    "  MIG 1g.5gb      Device  1: (UUID: MIG-66666666-7777-8888-9999-000000000000)\n"
)


@pytest.mark.parametrize(
    ("listing", "gpus"),
    [
        ("", []),
        ("No devices were found\n", []),
        (
            FIRST + SECOND,
            ["GPU-5d2c3a4e-1111-2222-3333-444455556666", "GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeffff0000"],
        ),
        (
            FIRST + PARTS + SECOND,
            [
                "MIG-11111111-2222-3333-4444-555555555555",
                "MIG-66666666-7777-8888-9999-000000000000",
                "GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeffff0000",
            ],
        ),
    ],
    ids=["nothing", "no device", "two GPUs", "a GPU in parts"],
)
def test_gpus_are_listed_and_divided_ones_by_their_parts(listing: str, gpus: list[str]) -> None:
    assert parse_gpus(listing) == tuple(gpus)


@pytest.mark.parametrize("good", ["0", "GPU-5d2c3a4e", "MIG-GPU-5d2c3a4e/1/0"])
def test_ids_are_indexes_and_uuids(good: str) -> None:
    assert GPU_ID.fullmatch(good)


@pytest.mark.parametrize("wrong", ["", " 0", "a b", "-1", "all\n"])
def test_other_texts_are_no_ids(wrong: str) -> None:
    assert not GPU_ID.fullmatch(wrong)


def test_a_task_needs_as_many_gpus_as_it_gets() -> None:
    assert gpu_problem((), 1) == "no GPU is found on this host"
    assert gpu_problem(("0",), 2) == "a task gets 2 GPUs, and this host has 1"
    assert gpu_problem(("0", "1"), 2) == ""
