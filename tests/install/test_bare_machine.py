"""Both commands of the README need only Python 3.11 and make: everything else is installed by them."""

from pathlib import Path

import pytest
from install.conftest import BareMachine

pytestmark = [pytest.mark.full, pytest.mark.e2e]

MISSING = ("node", "npm", "go", "git", "docker", "pip3")


def test_the_demo_and_the_go_tools_run_on_a_machine_with_only_python_and_make(
    bare_machine: BareMachine,
) -> None:
    look = f"for program in {' '.join(MISSING)}; do ! command -v $program || exit 1; done"
    bare_machine.run("sh", "-c", look, timeout_s=30)
    folder = str(bare_machine.folder)
    bare_machine.run("make", "-C", folder, "demo", timeout_s=1800)
    bare_machine.run("make", "-C", folder, "go-tools", timeout_s=1800)
    bare_machine.run("make", "-C", folder, "lint", "words", "imports", "generated", timeout_s=600)
    version = bare_machine.run(str(Path(folder, ".cache/bin/grpcurl")), "--version", timeout_s=30)
    assert "grpcurl" in version
