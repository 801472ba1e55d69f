"""What a program needs of the system's C library, read from its files with `readelf` (package binutils)."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from worker_release.source import BuildError

_MAGIC = b"\x7fELF"
_FILES_A_CALL = 100
_NEEDED = re.compile(r"\bName: GLIBC_(\d+(?:\.\d+)*)\b")
_RELATIVE_RELOCATIONS = re.compile(r"\bName: GLIBC_ABI_DT_RELR\b")
_READS_RELATIVE_RELOCATIONS = (2, 36)
"""The first glibc that knows the packed relocations of newer linkers."""
_LOADER = re.compile(r"\[Requesting program interpreter: ([^\]]+)\]")


def elf_files(folder: Path) -> list[Path]:
    """Return the programs and libraries below a folder, without links."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and _starts_as_elf(path)
    ]


def _starts_as_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def versions_in(listing: str) -> Iterator[tuple[int, ...]]:
    """Yield each version of glibc that a listing of `readelf --version-info` names."""
    for found in _NEEDED.finditer(listing):
        yield tuple(map(int, found[1].split(".")))
    if _RELATIVE_RELOCATIONS.search(listing):
        yield _READS_RELATIVE_RELOCATIONS


def lowest_glibc(files: Iterable[Path]) -> str:
    """Return the lowest version of glibc that has every symbol which these files need, such as `2.36`.

    Raises BuildError for files that need none, which are none of this system.
    """
    found = [
        version for listing in _listings(list(files), "--version-info") for version in versions_in(listing)
    ]
    if not found:
        raise BuildError("no file needs a symbol of glibc: build on a system with glibc")
    return ".".join(map(str, max(found)))


def loader_of(program: Path) -> str:
    """Return the path of the dynamic loader that the kernel starts for a program. Raises BuildError."""
    for listing in _listings([program], "--program-headers"):
        if found := _LOADER.search(listing):
            return found[1]
    raise BuildError(f"{program} names no dynamic loader")


def _listings(files: list[Path], option: str) -> Iterator[str]:
    for first in range(0, len(files), _FILES_A_CALL):
        command = ["readelf", option, "--wide", *map(str, files[first : first + _FILES_A_CALL])]
        try:
            shown = subprocess.run(
                command, capture_output=True, text=True, check=True, env=os.environ | {"LC_ALL": "C"}
            )
        except (OSError, subprocess.CalledProcessError) as problem:
            raise BuildError(f"readelf cannot read the files: {problem}; install binutils") from problem
        yield shown.stdout
