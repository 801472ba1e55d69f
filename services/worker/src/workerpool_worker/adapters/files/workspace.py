"""The worker's folder with one sub-folder per task. All calls block; run them in a thread."""

import re
import time
from pathlib import Path

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, ArchiveRules
from workerpool_poco.result_archive import Check

from workerpool_worker.adapters.files.error_result import make_error_result
from workerpool_worker.adapters.files.post_compute import make_result, no_check
from workerpool_worker.adapters.files.removal import remove_tree
from workerpool_worker.adapters.files.task_files import TaskFiles
from workerpool_worker.domain.failures.error_report import ErrorReport
from workerpool_worker.domain.record import Result

log = get_logger()

_TASK_FOLDER = re.compile(r"0x[0-9a-f]{64}(\.quarantine-\d+)?")


class DiskTaskFolder(TaskFiles):
    """The files of one task. Implements the `TaskFolder` port."""

    def make_result(
        self, *, callback: bool, rules: ArchiveRules = DEFAULT_RULES, check: Check = no_check
    ) -> Result:
        """Build the archive and the digest of the app's output."""
        return make_result(self, callback=callback, rules=rules, check=check)

    def make_error_result(self, report: ErrorReport, *, callback: bool) -> Result:
        """Replace the output by an error result. Its digest is equal on every worker that fails alike."""
        return make_error_result(self, report, callback=callback)


class DiskWorkspace:
    """The worker's own folder, closed to other users of the host. Implements the `Workspace` port."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> None:
        """Create the folder. Raises OSError if it cannot be written."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def of(self, task_id: TaskId) -> DiskTaskFolder:
        """Return the folder of a task. It need not exist."""
        return DiskTaskFolder(self.root / task_id)

    def remove(self, task_id: TaskId) -> None:
        """Remove the folder of a task if it exists. Raises OSError."""
        remove_tree(self.root / task_id)

    def quarantine(self, task_id: TaskId) -> Path:
        """Rename a folder that cannot be removed and return its new path.

        A new replicate of the task then starts with a clean folder. The next start of the worker tries to remove the
        renamed folder again.
        """
        return (self.root / task_id).rename(self.root / f"{task_id}.quarantine-{time.time_ns()}")

    def remove_others(self, kept: frozenset[str]) -> list[str]:
        """Remove the folders of all tasks except `kept` and return their names. Folders of other names stay."""
        removed = []
        for entry in list(self.root.iterdir()):
            if not _TASK_FOLDER.fullmatch(entry.name) or entry.name in kept:
                continue
            try:
                remove_tree(entry)
            except OSError as problem:
                log.warning("workspace.removal_failed", folder=str(entry), error=str(problem))
            else:
                removed.append(entry.name)
        return removed
