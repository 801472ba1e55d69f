"""The memory that the kernel tells."""

from pathlib import Path

import pytest
from workerpool_worker.adapters.host_memory import available_memory


def test_the_kernel_of_this_host_reports_its_memory() -> None:
    available = available_memory()
    assert available is not None
    assert available > 0


def test_memory_is_reported_in_bytes(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:  16 kB\nMemAvailable:        2048 kB\nMemFree: 1 kB\n")
    assert available_memory(file) == 2 << 20


@pytest.mark.parametrize("content", [None, "", "MemAvailable:", "MemAvailable: much kB"])
def test_another_system_reports_no_memory(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "meminfo"
    if content is not None:
        file.write_text(content)
    assert available_memory(file) is None
