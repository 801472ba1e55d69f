"""The logs of services: files of a folder, or what docker compose keeps."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

from poolctl.errors import CommandFailed, NotFound

_POLL_S = 0.2
_COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_PASSED_ON = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR")
_LIMIT_S = 20.0
_CHUNK = 1 << 16
_TAIL_BYTES = 4 << 20
"""Bytes at the end of a followed log that are searched for the last lines."""


class FileLogs:
    """Logs as files NAME.log of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the services that have a log."""
        return sorted(path.stem for path in self._folder.glob("*.log"))

    async def last(self, service: str, lines: int) -> list[str]:
        """Return the last lines of a service. Raises NotFound."""
        path = self._path(service)
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
        except OSError as error:
            raise CommandFailed(
                f"{path} cannot be read: {error.strerror}", "correct its owner or mode"
            ) from error

    async def follow(self, service: str, lines: int) -> AsyncIterator[str]:
        """Yield the last lines of a service, and each further one, also after the file was replaced."""
        path = self._path(service)
        # One handle reads the last lines and the further ones, so that no line between them is missed.
        file, rest = path.open("rb"), b""
        try:
            file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
            *complete, rest = file.read().split(b"\n")
            for each in complete[-lines:] if lines else ():
                yield each.decode(errors="replace")
            while True:
                if piece := file.read(_CHUNK):
                    *complete, rest = (rest + piece).split(b"\n")
                    for each in complete:
                        yield each.decode(errors="replace")
                    continue
                await asyncio.sleep(_POLL_S)
                if _replaced(path, file.fileno(), file.tell()):
                    file.close()
                    file, rest = path.open("rb"), b""
        finally:
            file.close()

    def _path(self, service: str) -> Path:
        for name in (service, service.replace("-", "_")):
            if (path := self._folder / f"{name}.log").is_file():
                return path
        raise NotFound(
            f"{self._folder} has no log of {service}", f"choose from: {', '.join(self.names()) or 'none'}"
        )


def _replaced(path: Path, descriptor: int, position: int) -> bool:
    """Return whether the path names another file, or this one was truncated."""
    try:
        there = path.stat()
    except OSError:
        return False
    return there.st_ino != os.fstat(descriptor).st_ino or there.st_size < position


class ComposeLogs:
    """Logs that docker compose keeps for the pool of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def last(self, service: str, lines: int) -> list[str]:
        """Return the last lines of a service. Raises CommandFailed."""
        process = await self._start("logs", "--no-color", "--no-log-prefix", "--tail", str(lines), service)
        try:
            async with asyncio.timeout(_LIMIT_S):
                output, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise CommandFailed("docker compose logs does not answer", "check the Docker engine") from None
        if process.returncode:
            raise _refused(service, errors)
        return output.decode(errors="replace").splitlines()

    async def follow(self, service: str, lines: int) -> AsyncIterator[str]:
        """Yield the last lines of a service, and each further one, until its container ends."""
        process = await self._start(
            "logs", "--no-color", "--no-log-prefix", "--follow", "--tail", str(lines), service
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async for line in process.stdout:
                yield line.decode(errors="replace").rstrip("\n")
            if await process.wait():
                raise _refused(service, await process.stderr.read())
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()

    async def _start(self, *arguments: str) -> asyncio.subprocess.Process:
        command = ("docker", "compose", "--project-directory", str(self._folder), *arguments)
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                cwd=self._folder,
            )
        except OSError as error:
            raise CommandFailed(
                f"docker compose cannot be started: {error.strerror}",
                "install it, or set POOLCTL_SERVICE_LOGS",
            ) from error


def _refused(service: str, errors: bytes) -> CommandFailed:
    told = errors.decode(errors="replace").strip().splitlines()
    return CommandFailed(
        f"docker compose shows no log of {service}: {told[-1] if told else 'no reason'}",
        "`docker compose ps` lists the services",
    )


def logs_of(folder: Path, service_logs: Path | None) -> FileLogs | ComposeLogs:
    """Return where the logs of a pool are. Raises CommandFailed when neither a folder nor a compose file is there."""
    if service_logs is not None:
        return FileLogs(service_logs)
    if any((folder / name).is_file() for name in _COMPOSE_FILES):
        return ComposeLogs(folder)
    raise CommandFailed(
        f"no logs are known: {folder} has no compose file",
        "name the pool's folder with --pool-dir, or the folder of its log files with POOLCTL_SERVICE_LOGS",
    )
