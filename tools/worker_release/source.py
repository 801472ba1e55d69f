"""What a build takes from this repository: its folders, its version, and the time that it writes into archives."""

import os
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKER = ROOT / "services/worker"
PACKAGING = WORKER / "packaging"


class BuildError(Exception):
    """The build cannot continue; the message says why, and what to do."""


def version() -> str:
    """Return the version that all packages of the repository share."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def epoch() -> int:
    """Return the time of every file of an archive: SOURCE_DATE_EPOCH, else the time of the last commit.

    Equal sources then make equal archives. Raises BuildError.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not given:
        command = ["git", "log", "-1", "--format=%ct"]
        try:
            shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as problem:
            raise BuildError(
                f"git reports no time of the last commit ({problem}); set SOURCE_DATE_EPOCH"
            ) from problem
        given = shown.stdout.strip()
    if not given.isdecimal():
        raise BuildError(f"SOURCE_DATE_EPOCH is {given!r}; set it to seconds since 1970")
    return int(given)


def run(*command: str | Path, environment: dict[str, str] | None = None, folder: Path = ROOT) -> None:
    """Run a program of the build. Raises BuildError with the end of its output when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-20:])
        raise BuildError(f"{Path(command[0]).name} failed with exit code {done.returncode}:\n{end}")
