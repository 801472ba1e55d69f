"""The worker as a program with its own Python: a virtual environment of nothing but the worker, then PyInstaller."""

import ast
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker_release.source import PACKAGING, ROOT, epoch, run, version

PROGRAM = "poolworker"
_DISTRIBUTION = "workerpool_worker"
_LOOSE = ("anyio", "uvicorn", "websockets")
"""Packages that import their own modules by name."""
_UNUSED = (
    "tkinter",
    "readline",
    "curses",
    "rich",
    "pygments",
    "mongoengine",
    "pymongo",
    "bson",
    "setuptools",
    "pip",
)
"""Modules that no part of the worker uses, although an import may lead there. readline is under GPL."""
_RECORDS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")


@dataclass(frozen=True)
class Source:
    """A file of the build machine that became a part of the program."""

    path: Path
    kind: str
    """PyInstaller's word for it, such as PYMODULE, EXTENSION, BINARY or DATA."""


@dataclass(frozen=True)
class Frozen:
    """A program with all that it needs."""

    folder: Path
    """Holds the executable and the folder of its modules and libraries."""
    site_packages: Path
    """Where its packages were installed for the build."""
    sources: tuple[Source, ...]


def freeze(wheel: Path, work: Path) -> Frozen:
    """Build the program from the worker's wheel; the folder `work` is replaced. Raises BuildError."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    python = _environment(wheel, work / "venv")
    site_packages = next((work / "venv").glob("lib/python*/site-packages"))
    metadata = next(site_packages.glob(f"{_DISTRIBUTION}-*.dist-info")) / "METADATA"
    options = [
        *("--onedir", "--noconfirm", "--clean", "--name", PROGRAM, "--log-level", "WARN"),
        *("--distpath", str(work / "dist"), "--workpath", str(work / "build"), "--specpath", str(work)),
        # The program reads its version there. The other files of the folder name paths of this machine.
        *("--add-data", f"{metadata}:{metadata.parent.name}"),
        *(each for module in compiled_modules(site_packages) for each in ("--hidden-import", module)),
        *(each for package in _LOOSE for each in ("--collect-submodules", package)),
        *(each for package in _UNUSED for each in ("--exclude-module", package)),
    ]
    variables = os.environ | {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(epoch()),
        "PYINSTALLER_CONFIG_DIR": str(work / "pyinstaller"),
        "LC_ALL": "C.UTF-8",
    }
    run(python, "-m", "PyInstaller", *options, PACKAGING / "entry.py", environment=variables)
    folder = work / "dist" / PROGRAM
    remove_installation_records(folder)
    return Frozen(folder, site_packages, tuple(sources_in((work / "build" / PROGRAM).glob("*.toc"))))


def compiled_modules(site_packages: Path) -> list[str]:
    """Return every compiled module of the packages: compiled code imports others, which no Python code names."""
    paths = [path.relative_to(site_packages) for path in site_packages.rglob("*.so")]
    return sorted(
        ".".join((*path.parts[:-1], path.name.partition(".")[0]))
        for path in paths
        # Folders such as grpcio.libs hold libraries, not modules.
        if path.parts[0] not in _UNUSED and all(part.isidentifier() for part in path.parts[:-1])
    )


def remove_installation_records(folder: Path) -> None:
    """Remove the records of where and how the packages were installed for the build, which differ between machines."""
    for metadata in folder.rglob("*.dist-info"):
        for name in _RECORDS:
            (metadata / name).unlink(missing_ok=True)


def _environment(wheel: Path, folder: Path) -> Path:
    """Make a virtual environment that holds the worker as requirements.lock has it, and PyInstaller."""
    uv = [sys.executable, "-m", "uv"]
    run(*uv, "venv", "--quiet", "--python", sys.executable, folder)
    into = ["--quiet", "--python", str(folder / "bin/python")]
    run(*uv, "pip", "install", *into, "--require-hashes", "-r", ROOT / "tools/pyinstaller.lock")
    # As pip does for an operator, but with the versions and hashes of the lock file.
    run(*uv, "pip", "install", *into, "--constraint", ROOT / "requirements.lock", wheel)
    return folder / "bin/python"


def sources_in(tables: Iterator[Path]) -> Iterator[Source]:
    """Yield every file that PyInstaller's tables of contents name, once each."""
    seen: set[str] = set()
    for table in sorted(tables):
        for _name, path, kind in _entries(ast.literal_eval(table.read_text())):
            if path and path not in seen:
                seen.add(path)
                yield Source(Path(path), kind)


def _entries(content: Any) -> Iterator[tuple[str, str, str]]:
    """Yield each entry (name in the program, path, kind) of a table, which nests them in tuples and lists."""
    if isinstance(content, tuple | list):
        if len(content) == 3 and all(isinstance(each, str) for each in content) and content[2].isupper():
            yield content[0], content[1], content[2]
        else:
            for each in content:
                yield from _entries(each)


def release_name() -> str:
    """Return the name of the archive without its ending, such as `poolworker-0.1.0-linux-x86_64`."""
    return f"{PROGRAM}-{version()}-linux-{platform.machine()}"
