"""Slots of a host and their limits."""

import pytest
from workerpool_worker.domain.host import slot_count, slot_limits


@pytest.mark.parametrize(
    ("processors", "override", "gpu", "expected"),
    [(8, None, False, 7), (1, None, False, 1), (8, 3, False, 3), (8, 3, True, 1)],
)
def test_slots(processors: int, override: int | None, gpu: bool, expected: int) -> None:
    assert slot_count(processors, override, gpu=gpu) == expected


def test_a_slot_has_one_processor_and_an_equal_share_of_the_memory() -> None:
    limits = slot_limits(3, 10 << 30)
    assert limits.cpus == 1.0
    assert limits.memory_bytes == int(0.9 * (10 << 30)) // 3


def test_a_slot_has_at_least_64_mib() -> None:
    assert slot_limits(1_000, 1 << 30).memory_bytes == 64 << 20


def test_an_operator_sets_the_memory_of_a_slot() -> None:
    assert slot_limits(2, 1 << 40, 512 << 20).memory_bytes == 512 << 20
