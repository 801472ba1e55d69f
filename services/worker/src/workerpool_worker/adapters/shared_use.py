"""Count the processes of this host that use one thing, with file locks that end with their process."""

import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from workerpool_kit.runtime.threads import in_daemon_thread


class SharedUse:
    """The use of one thing by several processes. Changes of the thing itself happen inside `changing`."""

    def __init__(self, folder: Path, name: str) -> None:
        """Store the arguments; nothing is opened or changed yet. The lock files stay in `folder`, such as `/run`."""
        self._changes, self._uses = folder / f"{name}.change.lock", folder / f"{name}.use.lock"
        self._use: IO[str] | None = None

    @asynccontextmanager
    async def changing(self, *, wait: bool = True) -> AsyncIterator[None]:
        """Let no other process create or remove the thing while the block runs.

        Raises OSError; BlockingIOError if another process is inside and `wait` is false.
        """
        with self._changes.open("a") as lock:
            kind = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
            await in_daemon_thread(lambda: fcntl.flock(lock, kind), name="shared-use")
            yield

    def join(self) -> None:
        """Count this process as a user. Raises OSError."""
        if self._use is None:
            self._use = self._uses.open("a")
            # No process holds it exclusively outside `changing`, so this does not wait.
            fcntl.flock(self._use, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Stop using the thing. Return whether no other process uses it. Call it inside `changing`."""
        if self._use is None:
            return False
        with self._use as lock:
            self._use = None
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True
