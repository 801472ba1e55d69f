"""The platform registry: stacks from property files, refreshed after edits.

A bad file is refused at the start. A bad edit later is logged, and the file's last good content stays in effect, so
that a typing mistake never removes a location from a running pool.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import PurePosixPath

from workerpool_kit.logs import get_logger

from workerpool_registry.app.ports import PropertyFileError, PropertySource, Stamp
from workerpool_registry.domain.property_file import FileProblem, PropertyFile
from workerpool_registry.domain.stack import CURRENT_LABEL, DEFAULT_STACK, Stack, file_names, merge_stack
from workerpool_registry.errors import StackNotFound

log = get_logger()


class Platform:
    """The stacks of one source; without a source there is no stack."""

    def __init__(self, source: PropertySource | None) -> None:
        self._source = source
        self._files: dict[str, PropertyFile] = {}
        self._stamps: dict[str, Stamp] = {}
        self._changed = asyncio.Condition()

    def load(self) -> None:
        """Read every file. Raises PropertyFileError with every problem, OSError when the source cannot be read."""
        if self._source is None:
            return
        problems: list[FileProblem] = []
        for path in self._source.paths():
            try:
                self._read(self._source, path)
            except PropertyFileError as error:
                problems += error.problems
        if problems:
            raise PropertyFileError(problems)
        log.info("platform.loaded", files=sorted(self._files))

    async def refresh(self) -> None:
        """Read edited and added files, drop removed ones, and wake the watchers after a change."""
        if self._source is None or not await asyncio.to_thread(self._refresh, self._source):
            return
        async with self._changed:
            self._changed.notify_all()

    async def follow(self, interval_s: float) -> None:
        """Refresh every `interval_s` seconds until cancelled; unlike inotify, polling works on every mount."""
        while self._source is not None:
            await asyncio.sleep(interval_s)
            await self.refresh()

    def files(self, stack: str, label: str = CURRENT_LABEL) -> list[PropertyFile]:
        """Return the files that describe a stack, the most specific one first."""
        prefix = f"{label.strip('/')}/" if label else ""
        return [self._files[path] for name in file_names(stack) if (path := prefix + name) in self._files]

    def stack(self, name: str, label: str = CURRENT_LABEL) -> Stack:
        """Return the locations of a stack. Raises StackNotFound unless a file exists for it."""
        name = name or DEFAULT_STACK
        files = self.files(name, label)
        wanted = file_names(name)[0]
        if not files or PurePosixPath(files[0].path).name != wanted:
            under = f" under the label {label}" if label else ""
            raise StackNotFound(f"there is no {wanted}{under}; add it to the folder of the platform registry")
        return merge_stack(name, label, files)

    async def watch(self, name: str, label: str = CURRENT_LABEL) -> AsyncIterator[Stack]:
        """Yield a stack now and after each change. Raises StackNotFound once it does not exist."""
        last: Stack | None = None
        while True:
            current = self.stack(name, label)
            if current != last:
                last = current
                yield current
                continue
            async with self._changed:
                # Check again under the lock, so that a change since the comparison is not missed.
                if self.stack(name, label) == last:
                    await self._changed.wait()

    def _refresh(self, source: PropertySource) -> bool:
        """Return whether any file changed."""
        try:
            found = source.paths()
        except OSError as error:
            log.error("platform.refresh_failed", error=str(error))
            return False
        changed = False
        for path in set(self._files) - set(found):
            del self._files[path]
            self._stamps.pop(path, None)
            log.info("platform.file_removed", file=path)
            changed = True
        for path in found:
            if self._stamps.get(path) == source.stamp(path):
                continue
            try:
                changed = self._read(source, path) or changed
            except PropertyFileError as error:
                in_effect = "last good content" if path in self._files else "nothing"
                problems = [str(problem) for problem in error.problems]
                log.error("platform.file_refused", problems=problems, in_effect=in_effect)
            else:
                log.info("platform.file_read", file=path)
        return changed

    def _read(self, source: PropertySource, path: str) -> bool:
        """Read one file and return whether its content changed."""
        # Take the stamp first, so that the next refresh reads an edit made during this read.
        self._stamps[path] = source.stamp(path)
        file = source.read(path)
        changed = self._files.get(path) != file
        self._files[path] = file
        return changed
