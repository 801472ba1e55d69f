"""GPUs as a program in place of `nvidia-smi` lists them."""

from pathlib import Path

import pytest
from workerpool_worker.adapters import gpu_discovery
from workerpool_worker.adapters.gpu_discovery import nvidia_gpus

from services.worker.tests.harness.gpus import LISTED, install_listing


async def test_the_listed_gpus_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_listing(tmp_path, monkeypatch)
    assert await nvidia_gpus() == LISTED


@pytest.mark.parametrize(
    "script", ["exit 9", "echo NVIDIA-SMI has failed; exit 9"], ids=["silent", "without driver"]
)
async def test_a_program_that_fails_lists_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    install_listing(tmp_path, monkeypatch, script)
    assert await nvidia_gpus() == ()


async def test_a_program_that_hangs_lists_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_discovery, "_LIMIT_S", 0.1)
    install_listing(tmp_path, monkeypatch, "exec /bin/sleep 60")
    assert await nvidia_gpus() == ()


async def test_a_program_that_cannot_run_lists_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_listing(tmp_path, monkeypatch)
    (tmp_path / "nvidia-smi").write_bytes(b"\x7fELF")
    assert await nvidia_gpus() == ()


async def test_a_host_without_the_program_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await nvidia_gpus() == ()
