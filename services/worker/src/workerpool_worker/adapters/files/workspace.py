"""The worker's folders: one per task, laid out as documented, so that operators find what they know.

``<base>/<name>/<task id>/input`` holds dataset and input files, ``output/iexec_out`` what the app writes,
``output/iexec_out.zip`` and ``output/computed.json`` what the worker makes of it. All calls block: use threads.
"""

import os
import re
import shutil
import time
from pathlib import Path

import structlog
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.results import COMPUTED_FILE

log = structlog.get_logger()

_TASK_FOLDER = re.compile(r"0x[0-9a-f]{64}(\.left-\d+)?")


class TaskFolder:
    """The folders of one task."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.input = path / "input"
        self.output = path / "output"
        self.iexec_out = self.output / "iexec_out"
        self.archive = self.output / "iexec_out.zip"
        self.computed = self.output / COMPUTED_FILE
        self.stdout = self.output / "stdout.log"
        self.stderr = self.output / "stderr.log"

    def prepare_input(self) -> None:
        """Make the folder of dataset and input files."""
        self.input.mkdir(parents=True, exist_ok=True)

    def prepare_output(self) -> None:
        """Make an empty output folder; whatever an earlier, interrupted run left is removed."""
        _remove(self.output)
        self.prepare_input()
        self.iexec_out.mkdir(parents=True)
        # The app may run as any user, without the capability to overrule permissions. Nobody else on the host
        # comes this far: the worker's own folder is closed.
        self.iexec_out.chmod(0o777)


class Workspace:
    """The worker's own folder; closed to other users of the host."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> None:
        """Make the folder; raises OSError when it cannot be written."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def of(self, task_id: TaskId) -> TaskFolder:
        """Return the folders of a task, which need not exist."""
        return TaskFolder(self.root / task_id)

    def remove(self, task_id: TaskId) -> None:
        """Remove a task's folder with everything in it; nothing happens when there is none."""
        _remove(self.root / task_id)

    def set_aside(self, task_id: TaskId) -> Path:
        """Rename a folder that cannot be removed, so that the task could be begun anew, and return its new path.

        The next start of the worker tries to remove it again.
        """
        return (self.root / task_id).rename(self.root / f"{task_id}.left-{time.time_ns()}")

    def remove_others(self, kept: frozenset[str]) -> list[str]:
        """Remove the folders of all tasks but the kept ones, and name those removed. Other folders stay."""
        removed = []
        for entry in list(self.root.iterdir()):
            if not _TASK_FOLDER.fullmatch(entry.name) or entry.name in kept:
                continue
            try:
                _remove(entry)
            except OSError as problem:
                log.warning("leftovers.folder_not_removed", folder=str(entry), error=str(problem))
            else:
                removed.append(entry.name)
        return removed


def _remove(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError):
        _remove_moving(path)


def _remove_moving(root: Path) -> None:
    """Remove what apps leave and Python's own way does not: each folder is opened, and moved up before it is emptied.

    Apps leave folders that even their owner cannot list, and some in each other, deeper than a path may be long.
    """
    prefix = f"moved-{time.time_ns()}-"
    folders, moved = [root], 0
    while folders:
        folder = folders.pop()
        for entry in list(os.scandir(folder)):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            moved += 1
            os.chmod(entry.path, 0o700)
            folders.append(Path(entry.path).rename(root / f"{prefix}{moved}"))
        if folder != root:
            folder.rmdir()
    root.rmdir()
