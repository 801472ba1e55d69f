"""A released version of the services, installed from the history of git with the packages that it locks.

The commit of a release is the one that added the image of its protos.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import reproduce
from workerpool_devnet.services.service import Service

STOP_LIMIT_S = 30.0
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_PLAIN = frozenset({"TMPDIR", "PYTHONUNBUFFERED"})
"""Variables of the system that a devnet sets."""


@dataclass(frozen=True)
class Version:
    """Installed services and an interpreter, with which a devnet runs."""

    name: str
    python: Path
    installed: Path | None = None
    """Folder with the services, before the interpreter's own packages; None: they are among these."""
    variables: frozenset[str] = frozenset()
    """Variables that its settings name; a newer one would be refused."""

    def take(self, service: Service) -> None:
        """Let the next start of a service run this version, with the variables that it knows."""
        service.process.command = [str(self.python), "-m", service.spec.module]
        environment = dict(service.spec.environment)
        if self.installed is not None:
            environment = {
                name: value
                for name, value in environment.items()
                if name in os.environ or name.removesuffix("_FILE") in self.variables
            }
            environment["PYTHONPATH"] = str(self.installed)
        service.process.env = environment


NOW = Version("this one", Path(sys.executable))
"""The sources of this repository."""


def newest_release() -> str:
    """Return the version of the newest release."""
    images = (reproduce.ROOT / "protos/released").glob("*.binpb")
    return max((path.stem for path in images), key=lambda version: [int(part) for part in version.split(".")])


def install(version: str, folder: Path) -> Version:
    """Install a release into a folder. Raises `ReproduceError` in a clone without its history."""
    image = f"protos/released/{version}.binpb"
    commit = reproduce.git("log", "--diff-filter=A", "-1", "--format=%H", "--", image).strip()
    packed = folder / "release.tar"
    reproduce.git("archive", "--output", str(packed), commit, "pyproject.toml", "libs", "services", "tools")
    subprocess.run(["tar", "-C", str(folder), "-xf", str(packed)], check=True)
    python, installed = reproduce.environment(commit), folder / "installed"
    members = [
        path.parent
        for room in ("libs", "services")
        for path in sorted(folder.glob(f"{room}/*/pyproject.toml"))
    ]
    options = ["--quiet", "--offline", "--no-deps", "--no-build-isolation", "--target", str(installed)]
    command = [sys.executable, "-m", "uv", "pip", "install", *options, "--python", str(python)]
    subprocess.run([*command, *map(str, members)], check=True)
    settings = [
        path.read_text() for path in installed.glob("workerpool_*/**/*.py") if "settings" in str(path)
    ]
    variables = frozenset(name for text in settings for name in _VARIABLE.findall(text)) | _PLAIN
    return Version(version, python, installed, variables)
