"""The commands of a section of the documents, as an operator copies them."""

import os
import re
import subprocess
from pathlib import Path

from stack.compose_files import ROOT
from stack.running import PLUGINS, StackError

_BLOCK = re.compile(r"^```sh\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


def commands(page: str, heading: str) -> list[list[str]]:
    """Return the blocks of commands below a heading of the second level, line by line."""
    text = (ROOT / "docs" / page).read_text()
    _, _, rest = text.partition(f"\n## {heading}\n")
    assert rest, f"{page} has no section {heading}"
    section = rest.partition("\n## ")[0]
    return [found["body"].splitlines() for found in _BLOCK.finditer(section)]


def run(command: str, folder: Path) -> str:
    """Run a command in a folder as its user types it; return what it prints. Raises StackError."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DOCKER_CONFIG": str(PLUGINS)},
    )
    if done.returncode:
        raise StackError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
