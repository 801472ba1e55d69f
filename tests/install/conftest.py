"""Bare machines: Debian roots with this Docker engine, one of them with Python, make and a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITE = "bookworm"
PACKAGES = ("python3", "make", "ca-certificates")
# How this machine's package clients reach their registries: proxies, certificates, mirrors.
CLIENT_VARIABLES = re.compile(
    r"_proxy$|^(?:PIP|UV|NPM|NODE|GO|SSL|CURL|REQUESTS)_|^npm_config_|^GO(?:PROXY|SUMDB|NOSUMDB|PRIVATE|FLAGS)$",
    re.IGNORECASE,
)
CLIENT_FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pip.conf",
    "/etc/uv/uv.toml",
    "~/.npmrc",
    "~/.config/pip/pip.conf",
    "~/.config/uv/uv.toml",
    "~/.config/go/env",
)
ENTER = """
set -e
mount --make-rprivate /
mount --rbind /dev "$machine/dev"
mount -t proc proc "$machine/proc"
mount --bind "$shared" "$machine$shared"
mount --bind "$socket" "$machine/run/docker.sock"
exec chroot "$machine" "$@"
"""


def docker_socket() -> Path:
    """Return the socket of this machine's Docker engine."""
    return Path(os.environ.get("DOCKER_HOST", "").removeprefix("unix://") or "/var/run/docker.sock").resolve()


def debian_mirror() -> str:
    """Return the address from which this machine's apt installs the suite's packages."""
    fields = ["--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(["apt-get", "indextargets", *fields], check=True, capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        suite, _, address = line.partition(" ")
        if suite == SUITE:
            return address
    pytest.skip(f"this machine's apt knows no mirror of Debian {SUITE}")


def copy_tracked_files(target: Path) -> None:
    """Copy the working tree as a clone would have it, without git's own folder."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def copy_client_configuration(machine: Path) -> dict[str, str]:
    """Let the new machine reach the registries as this one does; return the environment it needs."""
    home = str(Path.home())
    for name in CLIENT_FILES:
        source = Path(name).expanduser()
        target = machine / str(source).replace(home, "/root", 1).lstrip("/")
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    dumped = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    acquire = [line for line in dumped.splitlines() if re.match(r"Acquire::https?::", line)]
    (machine / "etc/apt/apt.conf.d/99host").write_text("".join(f"{line}\n" for line in acquire))
    return {name: value for name, value in os.environ.items() if CLIENT_VARIABLES.search(name)}


@dataclass(frozen=True)
class BareMachine:
    """A Debian root that shares this machine's network, kernel and Docker engine, and one folder."""

    root: Path
    folder: Path
    """Has the same path here, so that Docker finds what a container mounts from there."""
    environment: dict[str, str]

    def entered(self, *command: str, environment: Mapping[str, str] | None = None) -> list[str]:
        """Return the command that becomes `command` inside; it needs a mount namespace of its own."""
        variables = {**self.environment, **(environment or {})}
        places = {"machine": self.root, "shared": self.folder, "socket": docker_socket()}
        inside = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items()), *command]
        outside = ["/usr/bin/env", *(f"{name}={path}" for name, path in places.items())]
        return [*outside, "sh", "-c", ENTER, "sh", *inside]

    def run(
        self, *command: str, timeout_s: float, environment: Mapping[str, str] | None = None, code: int = 0
    ) -> str:
        """Run a command inside; return its output, and fail the test with it when it ends with another code."""
        log = self.root / "run.log"
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        with log.open("w") as output:
            process = subprocess.Popen(
                [*namespaces, *self.entered(*command, environment=environment)],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                ended = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                ended = -1
            finally:
                process.kill()
                process.wait()
        text = log.read_text(errors="replace")
        sys.stdout.write(text)
        assert ended == code, f"{' '.join(command)} ended with {ended} on a bare machine; the output is above"
        return text


@contextmanager
def bare_debian(*packages: str, in_memory: bool = False) -> Iterator[BareMachine]:
    """Make a fresh Debian root with these packages; skip the test where that is impossible.

    `in_memory` keeps it in memory, for a root that stays below 1 GiB: dpkg waits for the disk after every file.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can make a Debian root and enter it")
    install = f". tools/debian.sh; command -v debootstrap >/dev/null || debian_install debootstrap '{SUITE}'"
    if subprocess.run(["bash", "-c", install], cwd=ROOT, check=False).returncode != 0:
        pytest.skip("debootstrap is not installed, and Debian's apt cannot install it here")
    place = Path(tempfile.mkdtemp(prefix="bare-", dir="/tmp"))
    try:
        machine, shared = place / "root", place / "shared"
        if in_memory:
            machine.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,mode=755", "tmpfs", machine], check=True)
        wanted = [f"--include={','.join(packages)}"] if packages else []
        subprocess.run(
            [
                "unshare",
                "--mount",
                "debootstrap",
                "--variant=minbase",
                *wanted,
                SUITE,
                machine,
                debian_mirror(),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        # Docker resolves the folders that containers mount on this side, so temporary files lie in the folder too.
        temporary = shared / ".cache/tmp"
        temporary.mkdir(parents=True)
        (machine / str(shared).lstrip("/")).mkdir(parents=True)
        (machine / "run/docker.sock").touch()
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "TMPDIR": str(temporary),
        }
        yield BareMachine(machine, shared, environment)
    finally:
        if in_memory:
            subprocess.run(["umount", machine], capture_output=True, check=False)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def bare_machine() -> Iterator[BareMachine]:
    """Yield a machine with Python, make, a copy of this repository, and this machine's way to the registries."""
    with bare_debian(*PACKAGES) as machine:
        copy_tracked_files(machine.folder)
        machine.environment.update(copy_client_configuration(machine.root))
        yield machine
