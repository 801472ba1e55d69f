"""The licence texts of everything that became a part of the program: packages, Python, libraries of the system."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from worker_release.freeze import Frozen, Source
from worker_release.source import ROOT, BuildError

_TEXT = re.compile(r"licen[cs]e|copying|notice|authors|copyright", re.IGNORECASE)
_DOCUMENTS = Path("/usr/share/doc")
_LISTING = "COMPONENTS.txt"
_FREEZER = "pyinstaller"
"""Always a part: its loader starts the program."""


@dataclass(frozen=True, order=True)
class Component:
    """Something that others wrote, with its licence texts."""

    name: str
    version: str
    licence: str
    """Its licence in one word or expression, empty if only the texts say it."""
    texts: tuple[tuple[str, Path], ...]
    """Name and file of each text."""


def collect(frozen: Frozen, target: Path) -> list[Component]:
    """Write the texts of every part of the program into `target`. Raises BuildError for a part without one."""
    found = sorted(components(frozen))
    target.mkdir()
    for component in found:
        folder = target / f"{component.name}-{component.version}"
        for name, text in component.texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(text, folder / name)
    listed = [f"{each.name} {each.version}: {each.licence or 'see its texts'}\n" for each in found]
    (target / _LISTING).write_text("".join(listed))
    return found


def components(frozen: Frozen) -> set[Component]:
    """Return the origin of every file that became a part of the program. Raises BuildError."""
    installed = list(distributions(path=[str(frozen.site_packages)]))
    owners = {
        Path(str(each.locate_file(file))).resolve(): each
        for each in installed
        for file in each.files or ()
        if ".." not in file.parts
    }
    made = {_python()}
    of_system: set[Path] = set()
    used = {_freezer(installed)}
    for source in frozen.sources:
        if (owner := owners.get(source.path.resolve())) is not None:
            used.add(owner)
        elif _is_of_system(source, frozen):
            of_system.add(source.path)
    return (
        made
        | {_of_distribution(each) for each in used}
        | {_of_package(name) for name in _packages_of(of_system)}
    )


def _freezer(installed: Iterable[Distribution]) -> Distribution:
    for each in installed:
        if each.metadata["Name"].lower() == _FREEZER:
            return each
    raise BuildError("PyInstaller is not installed where the program was built")


def _is_of_system(source: Source, frozen: Frozen) -> bool:
    """Return whether a file is neither Python's, nor this repository's, nor made by the build."""
    made_here = (ROOT, frozen.folder.parents[1])
    return (
        source.path.is_absolute()
        and not source.path.name.startswith("libpython")
        and not any(
            source.path.is_relative_to(each) for each in (*made_here, Path(sysconfig.get_path("stdlib")))
        )
    )


def _python() -> Component:
    text = Path(sysconfig.get_path("stdlib"), "LICENSE.txt")
    if not text.is_file():
        raise BuildError(f"Python's licence is not at {text}: build with a Python that has it")
    version = ".".join(map(str, sys.version_info[:3]))
    return Component("python", version, "PSF-2.0", (("LICENSE.txt", text),))


def _of_distribution(found: Distribution) -> Component:
    name, version = found.metadata["Name"], found.version
    texts = {
        _name_of(Path(file)): Path(str(found.locate_file(file)))
        for file in found.files or ()
        if file.parts[0].endswith(".dist-info") and _TEXT.search(str(Path(*file.parts[1:])))
    }
    if not texts:
        raise BuildError(f"the package {name} {version} carries no licence text, so it cannot be passed on")
    told = found.metadata.get_all("License-Expression") or found.metadata.get_all("License") or [""]
    return Component(name, version, told[0] if "\n" not in told[0] else "", tuple(sorted(texts.items())))


def _name_of(file: Path) -> str:
    """Return the name of a text below its component: without the folders of its package's metadata."""
    parts = file.parts[1:]
    return "/".join(parts[1:] if parts[0] == "licenses" else parts)


def _packages_of(files: set[Path]) -> set[str]:
    """Return the Debian packages that installed these files. Raises BuildError for a file of none."""
    return {_package_of(file) for file in files}


def _package_of(file: Path) -> str:
    spellings = {str(file), str(file.resolve())}
    # Older packages name the folders that /lib is a link to now.
    spellings |= {each.removeprefix("/usr") for each in spellings}
    try:
        command = ["dpkg-query", "--search", *sorted(spellings)]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        shown = ""
    for line in shown.splitlines():
        packages, separator, _ = line.partition(": /")
        if separator and not packages.startswith("diversion by"):
            return packages.split(",")[0].strip()
    raise BuildError(
        f"no Debian package installed {file}, so its licence is unknown: build on Debian or Ubuntu"
    )


def _of_package(package: str) -> Component:
    name = package.partition(":")[0]
    text = _DOCUMENTS / name / "copyright"
    if not text.is_file():
        raise BuildError(
            f"the licence of the Debian package {name} is not at {text}: install the package again"
        )
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Component(name, version.replace(":", "_"), "", (("copyright", text),))
