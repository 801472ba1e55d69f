"""Limits of the disk space of apps."""

import pytest
from workerpool_worker.domain.containers.disk import DiskLimits, DiskUsage, excess, nesting_excess

LIMIT = DiskUsage(96 << 20, 10_000)


def test_the_number_of_files_follows_from_the_bytes() -> None:
    assert DiskLimits().app == DiskUsage(10 << 30, 655_360)
    assert DiskLimits(1 << 20).app.files == 10_000


@pytest.mark.parametrize(
    ("used", "sentence"),
    [
        (DiskUsage((96 << 20) - 1, 9_999), ""),
        (DiskUsage(96 << 20, 1), "wrote more than its limit of 96 MiB to /iexec_out"),
        (DiskUsage(1, 10_000), "created more than its limit of 10000 files in /iexec_out"),
    ],
)
def test_a_limit_that_is_reached_is_named(used: DiskUsage, sentence: str) -> None:
    assert excess("/iexec_out", LIMIT, used) == sentence
    assert used.reaches(LIMIT) == bool(sentence)


def test_figures_of_two_folders_add_up() -> None:
    assert DiskUsage(1, 2) + DiskUsage(3, 4) == DiskUsage(4, 6)


def test_nesting_is_named() -> None:
    assert "4096" in nesting_excess("/iexec_out")


@pytest.mark.parametrize(
    ("free", "full"),
    [
        (DiskUsage(2 << 30, 131_072), False),
        (DiskUsage((2 << 30) - 1, 131_072), True),
        (DiskUsage(2 << 30, 131_071), True),
    ],
)
def test_a_host_keeps_bytes_and_files_free(free: DiskUsage, full: bool) -> None:
    assert DiskLimits().is_full(free) == full
