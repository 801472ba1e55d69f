"""The platform registry: stacks read from a folder, followed while their files are edited.

At start a bad file is refused. Later a bad edit is reported and the last good content of that file stays in
force, so that a typing mistake never takes a location away from a running pool.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError

from workerpool_registry.adapters.property_files import (
    PropertyFileError,
    property_file_paths,
    read_property_file,
)
from workerpool_registry.domain.catalogue import (
    CURRENT_LABEL,
    DEFAULT_STACK,
    PropertyFile,
    Stack,
    stack_of,
)
from workerpool_registry.errors import StackNotFound

log = get_logger()


class Platform:
    """The stacks of one folder; without a folder no stack is known."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._files: dict[str, PropertyFile] = {}
        self._stamps: dict[str, tuple[int, int]] = {}
        self._changed = asyncio.Condition()

    def load(self) -> None:
        """Read every file; raises StartupError that names each bad file and line."""
        if self._folder is None:
            return
        if not self._folder.is_dir():
            raise StartupError(f"IEXEC_PLATFORM_REGISTRY_DIR: {self._folder} is not a folder")
        problems: list[str] = []
        for path in property_file_paths(self._folder):
            try:
                self._take(path)
            except PropertyFileError as error:
                problems += [f"{self._folder}/{problem}" for problem in error.problems]
        if problems:
            raise StartupError(
                "the platform registry cannot use these lines; correct them: " + "; ".join(problems)
            )
        log.info("platform.loaded", folder=str(self._folder), files=sorted(self._files))

    async def refresh(self) -> None:
        """Read again what was edited, added or removed, and wake the watchers when anything did change."""
        if self._folder is None or not await asyncio.to_thread(self._refresh):
            return
        async with self._changed:
            self._changed.notify_all()

    async def follow(self, interval_s: float) -> None:
        """Refresh every `interval_s` seconds, for ever. (Looking works on every mount; inotify does not.)"""
        while self._folder is not None:
            await asyncio.sleep(interval_s)
            await self.refresh()

    def files(self, stack: str, label: str = CURRENT_LABEL) -> list[PropertyFile]:
        """Return the files that describe a stack, the most specific first; empty when there is none."""
        names = (
            ["application.yml"]
            if stack in ("", DEFAULT_STACK)
            else [f"application-{stack}.yml", "application.yml"]
        )
        prefix = f"{label.strip('/')}/" if label else ""
        return [self._files[path] for name in names if (path := prefix + name) in self._files]

    def stack(self, name: str, label: str = CURRENT_LABEL) -> Stack:
        """Return the locations of a stack; raises StackNotFound unless a file of its own describes it."""
        name = name or DEFAULT_STACK
        files = self.files(name, label)
        wanted = "application.yml" if name == DEFAULT_STACK else f"application-{name}.yml"
        if not files or Path(files[0].path).name != wanted:
            under = f" under the label {label}" if label else ""
            raise StackNotFound(f"there is no {wanted}{under} in the folder of the platform registry")
        return stack_of(name, label, files)

    async def watch(self, name: str, label: str = CURRENT_LABEL) -> AsyncIterator[Stack]:
        """Yield the stack now and after each change; raises StackNotFound when it is not there (any more)."""
        last: Stack | None = None
        while True:
            current = self.stack(name, label)
            if current != last:
                last = current
                yield current
                continue
            async with self._changed:
                # Looked at again under the lock: a change since the yield must not be slept through.
                if self.stack(name, label) == last:
                    await self._changed.wait()

    def _refresh(self) -> bool:
        assert self._folder is not None
        try:
            # Without the folder the search finds nothing, which is not the same as a folder without files.
            self._folder.stat()
            found = property_file_paths(self._folder)
        except OSError as error:
            log.error("platform.folder_unreadable", folder=str(self._folder), error=error.strerror)
            return False
        changed = False
        for path in set(self._files) - set(found):
            del self._files[path]
            self._stamps.pop(path, None)
            log.info("platform.file_removed", file=path)
            changed = True
        for path in found:
            if self._stamps.get(path) == self._stamp(path):
                continue
            try:
                changed = self._take(path) or changed
            except PropertyFileError as error:
                kept = "last good content" if path in self._files else "nothing"
                log.error(
                    "platform.bad_file", problems=[str(problem) for problem in error.problems], in_force=kept
                )
            else:
                log.info("platform.file_read", file=path)
        return changed

    def _take(self, path: str) -> bool:
        assert self._folder is not None
        # The stamp is taken first: an edit during the read is then seen by the next look.
        self._stamps[path] = self._stamp(path)
        file = read_property_file(self._folder, path)
        changed = self._files.get(path) != file
        self._files[path] = file
        return changed

    def _stamp(self, path: str) -> tuple[int, int]:
        assert self._folder is not None
        try:
            status = (self._folder / path).stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)
