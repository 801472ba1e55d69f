"""Limits of downloads, and the bytes that one task may still download."""

from dataclasses import dataclass, field

from workerpool_worker.domain.fetching.addresses import AllowedHosts
from workerpool_worker.domain.images import pull_limit_s

FILES_AT_ONCE = 4
"""Input files of one task that are downloaded at the same time."""
MAX_REDIRECTS = 10
_SHORTEST_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """The operator's limits. Sizes are in bytes, times in seconds."""

    max_file_bytes: int = 32 << 30
    max_task_bytes: int = 64 << 30
    """Dataset and input files of one task together."""
    max_files: int = 256
    """Input files of one task."""
    total_s: float = 1_800.0
    """All downloads of one task together."""
    connect_s: float = 10.0
    """One attempt to connect."""
    answer_s: float = 60.0
    """From the request of a file to the headers of its answer, redirects included."""
    min_bytes_per_s: int = 1_024
    """Lowest rate of one file, averaged over `rate_period_s`."""
    rate_period_s: float = 30.0
    free_disk_bytes: int = 2 << 30
    """Space that downloads leave on the disk of the tasks."""
    allowed: AllowedHosts = field(default_factory=AllowedHosts)


def total_limit_s(limits: DownloadLimits, max_execution_s: float) -> float:
    """Return the time limit in seconds for all downloads of one task.

    It grows with the category as the limit of image pulls does: a task of 5 minutes gets 7 minutes, so that another
    worker has time for the task before its contribution deadline.
    """
    return pull_limit_s(max_execution_s, _SHORTEST_LIMIT_S, limits.total_s)


class QuotaExceeded(Exception):
    """The files of a task are larger than its limit."""


class TaskQuota:
    """The bytes that one task may still download, shared by its downloads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._left = max_bytes

    def take(self, size: int) -> None:
        """Count received bytes. Raises `QuotaExceeded`."""
        self._left -= size
        if self._left < 0:
            raise QuotaExceeded

    def fits(self, size: int) -> bool:
        """Return whether a file of a size is within the quota."""
        return size <= self._left

    def give_back(self, size: int) -> None:
        """Forget the bytes of an attempt that is repeated."""
        self._left += size
