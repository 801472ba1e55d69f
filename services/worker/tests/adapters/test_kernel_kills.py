"""The kernel's count of its kills: when it proves that no container lost a process, and when it proves nothing."""

from pathlib import Path

import pytest
from workerpool_worker.adapters.kernel_kills import KernelKills

CONTAINER = "ab" * 32
COUNTERS = "nr_free_pages 7\noom_kill {}\noom_kill_other 3\n"


@pytest.fixture
def counters(tmp_path: Path) -> Path:
    path = tmp_path / "vmstat"
    path.write_text(COUNTERS.format(5))
    return path


@pytest.fixture
def kernel(counters: Path, tmp_path: Path) -> KernelKills:
    """The count of a kernel that runs the container."""
    (tmp_path / "pids" / "docker" / CONTAINER).mkdir(parents=True)
    found = KernelKills(counters, tmp_path)
    found.look_for(CONTAINER)
    return found


def test_an_unchanged_count_proves_that_nothing_was_killed(kernel: KernelKills, counters: Path) -> None:
    before = kernel.count()
    assert before == 5
    assert kernel.none_since(before, "runc")
    counters.write_text(COUNTERS.format(6))
    assert not kernel.none_since(before, "runc")


@pytest.mark.parametrize("runtime", ["", "runsc", "kata-runtime"])
def test_a_runtime_with_another_kernel_is_not_counted(kernel: KernelKills, runtime: str) -> None:
    assert not kernel.none_since(kernel.count(), runtime)


def test_a_container_that_this_process_did_not_start_is_not_counted(kernel: KernelKills) -> None:
    assert not kernel.none_since(None, "runc")


def test_a_kernel_on_which_no_container_was_seen_proves_nothing(counters: Path, tmp_path: Path) -> None:
    kernel = KernelKills(counters, tmp_path)
    kernel.look_for(CONTAINER)
    assert not kernel.none_since(kernel.count(), "runc")


@pytest.mark.parametrize("content", ["", "nr_free_pages 7\n", None])
def test_a_kernel_that_does_not_count_proves_nothing(
    kernel: KernelKills, counters: Path, content: str | None
) -> None:
    if content is None:
        counters.unlink()
    else:
        counters.write_text(content)
    assert kernel.count() is None
    assert not kernel.none_since(kernel.count(), "runc")


def test_this_kernel_counts() -> None:
    assert KernelKills().count() is not None
