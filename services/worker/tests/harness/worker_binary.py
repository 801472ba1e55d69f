"""The worker's binary, built once for all tests of a process."""

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
_BUILD_S = 1_200.0


@functools.cache
def built_archive() -> Path:
    """Build the archive that operators install, and return its path."""
    command = ["make", "--no-print-directory", "worker-binary"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=_BUILD_S)
    return Path(built.stdout.splitlines()[-1])


def unpack(archive: Path, folder: Path) -> str:
    """Unpack the archive in a new folder, and return the path of the program."""
    folder.mkdir()
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    (program,) = folder.glob("*/poolworker")
    return str(program)
