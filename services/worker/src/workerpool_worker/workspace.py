"""The worker's folders: one per task, laid out as documented, so that operators find what they know.

``<base>/<name>/<task id>/input`` holds dataset and input files, ``output/iexec_out`` what the app writes,
``output/iexec_out.zip`` and ``output/computed.json`` what the worker makes of it. All calls block: use threads.
"""

import os
import re
import shutil
import stat
from pathlib import Path

from workerpool_poco.results import COMPUTED_FILE

_TASK_FOLDER = re.compile(r"0x[0-9a-f]{64}")


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

    def of(self, task_id: str) -> TaskFolder:
        """Return the folders of a task, which need not exist."""
        return TaskFolder(self.root / task_id)

    def remove(self, task_id: str) -> None:
        """Remove a task's folder with everything in it; nothing happens when there is none."""
        _remove(self.root / task_id)

    def remove_others(self, kept: frozenset[str]) -> list[str]:
        """Remove the folders of all tasks but the kept ones, and name them. Other folders stay."""
        others = [
            entry.name
            for entry in self.root.iterdir()
            if _TASK_FOLDER.fullmatch(entry.name) and entry.name not in kept
        ]
        for name in others:
            _remove(self.root / name)
        return others


def _remove(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    # An app may leave folders that even their owner cannot list.
    for folder, names, _ in os.walk(path):
        for name in names:
            inner = os.path.join(folder, name)
            mode = os.lstat(inner).st_mode
            if stat.S_ISDIR(mode) and mode & 0o700 != 0o700:
                os.chmod(inner, 0o700)
    shutil.rmtree(path)
