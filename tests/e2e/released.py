"""A released version of the services: its sources from the history of git, with the packages that it locks.

The commit of a release is the one that added the image of its protos.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import reproduce
from workerpool_devnet.services.service import Service

STOP_LIMIT_S = 30.0


@dataclass(frozen=True)
class Version:
    """Sources and an interpreter, with which the services of a devnet run."""

    name: str
    python: Path
    sources: tuple[Path, ...] = ()
    """Folders that go before the interpreter's own packages."""

    def take(self, service: Service) -> None:
        """Let the next start of a service run this version."""
        service.process.command = [str(self.python), "-m", service.spec.module]
        environment = dict(service.spec.environment)
        if self.sources:
            environment["PYTHONPATH"] = os.pathsep.join(map(str, self.sources))
        service.process.env = environment


NOW = Version("this one", Path(sys.executable))
"""The sources of this repository."""


def newest_release() -> str:
    """Return the version of the newest release."""
    images = (reproduce.ROOT / "protos/released").glob("*.binpb")
    return max((path.stem for path in images), key=lambda version: [int(part) for part in version.split(".")])


def unpack(version: str, folder: Path) -> Version:
    """Unpack a release into a folder. Raises `ReproduceError` in a clone without its history."""
    image = f"protos/released/{version}.binpb"
    commit = reproduce.git("log", "--diff-filter=A", "-1", "--format=%H", "--", image).strip()
    packed = folder / "release.tar"
    reproduce.git("archive", "--output", str(packed), commit, "libs", "services")
    subprocess.run(["tar", "-C", str(folder), "-xf", str(packed)], check=True)
    sources = tuple(path for room in ("libs", "services") for path in sorted(folder.glob(f"{room}/*/src")))
    return Version(version, reproduce.environment(commit), sources)
