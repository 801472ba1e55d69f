"""The archive that an operator installs: program, launcher, unit, example of an env file, guide and licence texts."""

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from worker_release import archive, wheel
from worker_release.elf import elf_files, loader_of, lowest_glibc
from worker_release.freeze import PROGRAM, Frozen, freeze, release_name
from worker_release.licences import collect
from worker_release.source import PACKAGING, ROOT, epoch, version

_PROGRAM_FOLDER = "lib"
_COPIED = ("poolworker.service", "poolworker.env", "README.md")


@dataclass(frozen=True)
class Built:
    """A finished archive."""

    archive: Path
    glibc: str
    """The lowest version of glibc that it runs on."""
    unpacked_bytes: int


def launcher(glibc: str, loader: Path | str) -> str:
    """Return the text of the launcher for a program that needs this version of glibc and this dynamic loader."""
    text = (PACKAGING / "launcher.sh").read_text()
    for name, value in {
        "@GLIBC@": glibc,
        "@LOADER@": str(loader),
        "@PROGRAM@": f"{_PROGRAM_FOLDER}/{PROGRAM}",
    }.items():
        text = text.replace(name, value)
    return text


def about(glibc: str) -> str:
    """Return the text of the file BUILD."""
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"version: {version()}\nsystem: linux-{platform.machine()}\nglibc: {glibc} or newer\npython: {python}\n"
        f"source date: {epoch()}\n"
    )


def build(target: Path) -> Built:
    """Build the archive into the folder `target`. Raises BuildError."""
    work = ROOT / ".cache/worker-binary"
    frozen = freeze(wheel.build(target), work)
    folder = work / "package" / release_name()
    glibc = assemble(frozen, folder)
    made = target / f"{folder.name}.tar.gz"
    archive.pack(folder, made, epoch())
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return Built(made, glibc, size)


def assemble(frozen: Frozen, folder: Path) -> str:
    """Lay out the archive's files in `folder`; return the lowest version of glibc that they run on."""
    folder.mkdir(parents=True)
    program = folder / _PROGRAM_FOLDER
    shutil.copytree(frozen.folder, program, symlinks=True)
    glibc = lowest_glibc(elf_files(program))
    start = folder / PROGRAM
    start.write_text(launcher(glibc, loader_of(program / PROGRAM)))
    start.chmod(0o755)
    for name in _COPIED:
        shutil.copyfile(PACKAGING / name, folder / name)
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    (folder / "BUILD").write_text(about(glibc))
    collect(frozen, folder / "licenses")
    return glibc
