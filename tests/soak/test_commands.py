"""The commands of the Makefile in their longest forms: simulated seeds and benches."""

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "20,000 simulated seeds": ["make", "simulate", "SEEDS=20000"],
    "dispatch bench": ["make", "bench-dispatch"],
    "worker bench": ["make", "bench-workers"],
    "latency bench": ["make", "bench-latency"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_command_succeeds(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)
