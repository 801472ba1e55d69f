"""One wheel that holds a service and every package of this repository that it imports.

pip installs it alone: all that it requires are packages of the public index. The workspace's own wheel of the worker
would require four more wheels of this repository. The image of each service installs its wheel too.
"""

import json
import os
import shutil
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker_release.source import ROOT, BuildError, epoch, run

_OWN = "workerpool-"
_NAME = "workerpool-worker"


@dataclass(frozen=True)
class Member:
    """A package of the workspace."""

    folder: Path
    project: dict[str, Any]
    packages: tuple[str, ...]
    """Its import packages, as paths below `folder`."""

    @classmethod
    def read(cls, folder: Path) -> "Member":
        """Read a member's pyproject.toml."""
        content = tomllib.loads((folder / "pyproject.toml").read_text())
        packages = content["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        return cls(folder, content["project"], tuple(packages))

    @property
    def own(self) -> list[str]:
        """The packages of the workspace that it requires."""
        return [each for each in self.project["dependencies"] if each.startswith(_OWN)]

    @property
    def foreign(self) -> list[str]:
        """The packages of the public index that it requires."""
        return [each for each in self.project["dependencies"] if not each.startswith(_OWN)]


def members(service: str = _NAME) -> list[Member]:
    """Return a service and the members that it requires, also through others. Raises BuildError."""
    known = _all("libs")
    services = _all("services")
    if service not in services:
        raise BuildError(
            f"{service} is no service of this repository; there are {', '.join(sorted(services))}"
        )
    found = {service: services[service]}
    waiting = list(found[service].own)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in known:
            raise BuildError(
                f"{name} is no library of this repository: correct the dependencies of {service}"
            )
        found[name] = known[name]
        waiting += known[name].own
    return [found[name] for name in sorted(found)]


def _all(room: str) -> dict[str, Member]:
    read = [Member.read(path.parent) for path in sorted(ROOT.glob(f"{room}/*/pyproject.toml"))]
    return {member.project["name"]: member for member in read}


def project_file(found: list[Member], service: str = _NAME) -> str:
    """Return the pyproject.toml of the wheel of a service that holds these members."""
    own = next(member for member in found if member.project["name"] == service).project
    requirements = sorted({each for member in found for each in member.foreign}, key=str.lower)
    packages = sorted(Path(package).name for member in found for package in member.packages)
    # JSON's texts and lists of texts are TOML too.
    lines = [
        "[project]",
        *(f"{key} = {json.dumps(own[key])}" for key in ("name", "version", "description", "license")),
        'license-files = ["LICENSE"]',
        'readme = "README.md"',
        f"requires-python = {json.dumps(own['requires-python'])}",
        f"dependencies = {json.dumps(requirements)}",
        "[project.scripts]",
        *(f"{name} = {json.dumps(target)}" for name, target in sorted(own["scripts"].items())),
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "[tool.hatch.build.targets.wheel]",
        f"packages = {json.dumps(packages)}",
        "ignore-vcs = true",
    ]
    return "\n".join(lines) + "\n"


def build(target: Path, service: str = _NAME) -> Path:
    """Build the wheel of a service into the folder `target` and return its path. Raises BuildError."""
    found = members(service)
    with tempfile.TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name)
        for member in found:
            for package in member.packages:
                copied = folder / Path(package).name
                shutil.copytree(member.folder / package, copied, ignore=shutil.ignore_patterns("__pycache__"))
        own = next(member for member in found if member.project["name"] == service)
        shutil.copy(own.folder / "README.md", folder)
        shutil.copy(ROOT / "LICENSE", folder)
        (folder / "pyproject.toml").write_text(project_file(found, service))
        made = folder / "dist"
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch()), "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(made)]
        run(*command, environment=environment, folder=folder)
        (wheel,) = made.glob("*.whl")
        target.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wheel, target))
