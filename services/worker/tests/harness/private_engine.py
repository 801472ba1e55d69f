"""A Docker engine of a test alone: its own images, its own certificates, its own names.

It runs in a mount namespace, so that the test decides what /etc/hosts and /etc/resolv.conf say to it.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

START_LIMIT_S = 120.0


def why_not() -> str:
    """Return why no private engine can run here; empty if one can."""
    if os.geteuid() != 0:
        return "NOT ROOT: the tests with a private Docker engine did not run"
    missing = [name for name in ("dockerd", "containerd", "unshare", "ip") if not shutil.which(name)]
    return f"NO {missing[0]}: the tests with a private Docker engine did not run" if missing else ""


@dataclass(frozen=True)
class Namespace:
    """What the processes of one test see in /etc."""

    hosts: Path
    resolv_conf: Path

    def command(self, *program: str) -> list[str]:
        """Return the command that runs a program with these files."""
        script = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'
        return [
            *("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"),
            *(str(self.hosts), str(self.resolv_conf), *program),
        ]


def namespace(folder: Path, names: dict[str, str], *, dns: str = "") -> Namespace:
    """Make a namespace that knows `names`, and the name server `dns`, by default the host's."""
    found = Namespace(folder / "hosts", folder / "resolv.conf")
    lines = [f"{address} {name}\n" for name, address in ({"localhost": "127.0.0.1"} | names).items()]
    found.hosts.write_text("".join(lines))
    host = Path("/etc/resolv.conf").read_text() if Path("/etc/resolv.conf").exists() else ""
    found.resolv_conf.write_text(f"nameserver {dns}\noptions timeout:1 attempts:1\n" if dns else host)
    return found


class PrivateEngine:
    """A running engine, which a test may end and start again on the same files."""

    def __init__(self, command: Sequence[str], socket: Path, folder: Path, mounts: Path) -> None:
        """Start it with a command that becomes the engine."""
        self.url = f"unix://{socket}"
        self.folder = folder
        """Its log and all its files."""
        self.mounts = mounts
        """The list of what it has mounted."""
        self.client: Any = None
        self._command = list(command)
        self._process: subprocess.Popen[bytes]
        self.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def start(self) -> None:
        """Start it, again if it gives up as it does on a busy machine, and return once it answers."""
        self._process = self._launch()
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end:
            try:
                self.client = docker.DockerClient(base_url=self.url)
            except docker.errors.DockerException:
                time.sleep(0.1)
                if self._process.poll() is not None:
                    self._process = self._launch()
            else:
                return
        self._process.kill()
        raise RuntimeError(
            f"the private Docker engine did not start: {(self.folder / 'log').read_text()[-2000:]}"
        )

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal: with SIGTERM it stops its containers, SIGKILL leaves them to the next start."""
        if self.client is not None:
            self.client.close()
        self._process.send_signal(how)
        self._process.wait(START_LIMIT_S)


@contextmanager
def _bridge() -> Iterator[str]:
    """Make a bridge for an engine. With none, it would remove docker0, which belongs to the host's engine."""
    name = f"wpt{secrets.token_hex(4)}"
    number = secrets.randbelow(1 << 15)
    address = f"198.{18 + (number >> 14)}.{(number >> 6) & 255}.{(number & 63) * 4 + 1}/30"
    for command in (f"link add {name} type bridge", f"addr add {address} dev {name}", f"link set {name} up"):
        _ip(command)
    try:
        yield name
    finally:
        _ip(f"link delete {name}")


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True, env={"PATH": os.environ["PATH"]})


@contextmanager
def _held(seen: Namespace) -> Iterator[int]:
    """Keep one namespace for every start of an engine; yield the id of a process inside."""
    with subprocess.Popen(seen.command("sleep", "infinity")) as holder:
        try:
            while Path(f"/proc/{holder.pid}/comm").read_text() != "sleep\n":
                if holder.poll() is not None:
                    raise RuntimeError("no mount namespace can be made")
                time.sleep(0.01)
            yield holder.pid
        finally:
            holder.kill()


@contextmanager
def private_engine(
    folder: Path, seen: Namespace, *, authority: Path | None = None, runtimes: Mapping[str, str] | None = None
) -> Iterator[PrivateEngine]:
    """Run an engine in `folder` that trusts the certificates of `authority` alone, with programs as more runtimes."""
    folder.mkdir()
    # The engine's sockets need short paths.
    short = Path(tempfile.mkdtemp(prefix="engine-", dir="/tmp"))
    socket = short / "engine.sock"
    changes = [f"--unset={name}" for name in os.environ if "proxy" in name.lower()]
    if authority is not None:
        changes += [f"SSL_CERT_FILE={authority}", f"SSL_CERT_DIR={folder}"]
    options = [f"--add-runtime={name}={program}" for name, program in (runtimes or {}).items()]
    with _bridge() as bridge, _held(seen) as holder:
        command = [
            *("env", *changes, "nsenter", f"--mount=/proc/{holder}/ns/mnt"),
            *("dockerd", "--host", f"unix://{socket}", "--data-root", str(folder / "data")),
            *("--exec-root", str(short / "exec"), "--pidfile", str(short / "pid")),
            *(*options, "--bridge", bridge, "--iptables=false", "--ip-masq=false"),
        ]
        try:
            engine = PrivateEngine(command, socket, folder, Path(f"/proc/{holder}/mounts"))
            try:
                yield engine
            finally:
                engine.end()
        finally:
            _kill_rest(short)
            shutil.rmtree(short, ignore_errors=True)


def _kill_rest(folder: Path) -> None:
    """Kill what an engine left that did not end in order: the processes whose commands name its folder."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{folder}/".encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
