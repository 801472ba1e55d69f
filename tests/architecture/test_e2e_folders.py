"""`make e2e` collects the folders that hold its tests, and no test of it is elsewhere."""

import re
import subprocess
from pathlib import Path

from architecture.tree import ROOT, files_of_tests


def folders() -> list[str]:
    """Return the folders that the Makefile names."""
    printed = subprocess.run(
        ["make", "--no-print-directory", "--eval", "print-e2e: ; @echo $(E2E)", "print-e2e"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return printed.stdout.split()


def test_every_e2e_test_is_in_a_folder_that_make_e2e_collects() -> None:
    named = folders()
    marked = [
        str(path.relative_to(ROOT))
        for path in files_of_tests()
        if re.search(r"\bmark\.e2e\b", path.read_text())
    ]
    assert len(marked) > 40
    assert [path for path in marked if not any(Path(path).is_relative_to(each) for each in named)] == []
    assert [each for each in named if not any(path.startswith(f"{each}/") for path in marked)] == []
