"""The Docker engine, as far as a backup needs it."""

import gzip
import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PIECE = 1 << 20
_STOP_LIMIT_S = 60
"""Seconds that a container has to stop: more than any service needs."""


class BackupFailed(Exception):
    """A backup or a restore is not possible; the message says why and what to do."""


class Engine:
    """Runs `docker`. `image` holds a `tar`: that of MongoDB, which every pool has."""

    def __init__(self, project: str, image: str) -> None:
        self.project = project
        self.image = image

    def volume(self, name: str) -> str:
        """Return the engine's name of a volume of compose.yaml."""
        return f"{self.project}_{name}"

    def has_volume(self, name: str) -> bool:
        """Return whether the engine has a volume of compose.yaml."""
        return bool(
            self._docker("volume", "ls", "--quiet", "--filter", f"name=^{self.volume(name)}$").strip()
        )

    def create_volume(self, name: str) -> None:
        """Create a volume that `docker compose up` adopts."""
        labels = (f"com.docker.compose.project={self.project}", f"com.docker.compose.volume={name}")
        options = [option for label in labels for option in ("--label", label)]
        self._docker("volume", "create", *options, self.volume(name))

    def remove_volume(self, name: str) -> None:
        """Remove a volume of compose.yaml."""
        self._docker("volume", "rm", self.volume(name))

    def running(self, volumes: Sequence[str]) -> dict[str, str]:
        """Return the running containers of the pool that use one of the volumes: service by id."""
        found: dict[str, str] = {}
        for name in volumes:
            filters = (f"volume={self.volume(name)}", f"label=com.docker.compose.project={self.project}")
            options = [option for each in filters for option in ("--filter", each)]
            shown = '{{.ID}} {{.Label "com.docker.compose.service"}}'
            listed = self._docker("ps", "--no-trunc", "--format", shown, *options)
            found |= dict(line.split(maxsplit=1) for line in listed.splitlines())
        return found

    def stop(self, containers: Sequence[str]) -> None:
        """Stop containers until `start`."""
        if containers:
            self._docker("stop", "-t", str(_STOP_LIMIT_S), *containers)

    def start(self, containers: Sequence[str]) -> None:
        """Start containers again."""
        if containers:
            self._docker("start", *containers)

    def pack(self, name: str, target: Path) -> str:
        """Write the content of a volume into a compressed archive; return its SHA-256."""
        tar = ["tar", "-C", "/volume", "--numeric-owner", "-cf", "-", "."]
        target.touch(mode=0o600)
        with (
            self._tar(name, tar, read_only=True) as (_, output),
            gzip.open(target, "wb", compresslevel=1) as packed,
        ):
            while piece := output.read(_PIECE):
                packed.write(piece)
        return digest(target)

    def unpack(self, name: str, source: Path) -> None:
        """Fill a volume from an archive of `pack`, with owners and modes."""
        tar = ["tar", "-C", "/volume", "--numeric-owner", "-xpf", "-"]
        with self._tar(name, tar, read_only=False) as (entry, _), gzip.open(source, "rb") as packed:
            while piece := packed.read(_PIECE):
                entry.write(piece)

    @contextmanager
    def _tar(
        self, name: str, command: Sequence[str], *, read_only: bool
    ) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        mount = f"type=volume,source={self.volume(name)},target=/volume" + (",readonly" if read_only else "")
        options = ["--rm", "--interactive", "--network", "none", "--user", "0:0", "--mount", mount]
        program, *arguments = command
        with subprocess.Popen(
            ["docker", "run", *options, "--entrypoint", program, self.image, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                yield process.stdin, process.stdout
                process.stdin.close()
            except BrokenPipeError:
                # The last lines of stderr, below, say why.
                pass
            problem = process.stderr.read().decode(errors="replace").strip()
        if process.returncode:
            raise BackupFailed(
                f"volume {self.volume(name)}: {problem or f'tar ended with {process.returncode}'}"
            )

    @staticmethod
    def _docker(*arguments: str) -> str:
        try:
            done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise BackupFailed("there is no docker command on this host: install Docker") from None
        if done.returncode:
            raise BackupFailed(f"docker {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
