"""A program in place of `nvidia-smi`."""

from pathlib import Path

import pytest

LISTED = ("GPU-5d2c3a4e-1111-2222-3333-444455556666", "GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeffff0000")
_SCRIPT = "".join(f"echo 'GPU {number}: Tesla T4 (UUID: {name})'\n" for number, name in enumerate(LISTED))


def install_listing(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str = _SCRIPT) -> None:
    """Let the program of `folder`, the only one in the path, run a script; by default it lists `LISTED`."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
