"""The end of an app, and the failure that it means for the requester."""

from dataclasses import dataclass

from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause

from workerpool_worker.domain.host import SlotLimits

NEVER_RAN = -1
"""Exit code of an app that could not be started."""
KILLED = 137
"""Exit code of an app that was killed (128 + SIGKILL)."""
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class AppExit:
    """The end of an app: exit code (-1 if it never ran), run time in seconds, and the limit that ended it, if any."""

    exit_code: int
    run_time_s: float
    timed_out: bool = False
    """Whether the app ran into its time limit."""
    out_of_memory: bool = False
    """Whether the kernel killed the app, or a process of it, at the memory limit."""
    disk_excess: str = ""
    """What the app wrote beyond its disk limit, as a sentence such as `wrote more than 1024 MiB to /iexec_out`."""
    slowed_to: int = 0
    """Bytes per second to which the worker slowed the app's output; 0 if it did not."""
    error: str = ""
    """Why the app could not be started; empty if it ran."""

    @property
    def within_limits(self) -> bool:
        """Whether no limit ended the app."""
        return not (self.timed_out or self.out_of_memory or self.disk_excess)


def ended_by(ended: AppExit) -> str:
    """Return what ended an app, in a word or two for metrics."""
    if ended.error:
        return "never started"
    if ended.disk_excess:
        return "disk limit"
    if ended.out_of_memory:
        return "memory limit"
    return "time limit" if ended.timed_out else "itself"


@dataclass(frozen=True, slots=True)
class AppFailure:
    """Why an app has no result. The cause and the exit code are equal on all workers; the message names limits."""

    cause: Cause
    message: str
    exit_code: int


def failure_of(ended: AppExit, *, limits: SlotLimits, max_execution_s: float) -> AppFailure | None:
    """Return the failure that an app's end means; None if its output may be a result.

    A limit that was reached precedes the exit code: an app killed at a limit has no result, whatever it wrote before.
    Which process of an app dies at a limit, and with which code, differs by host. Such failures therefore all have
    the exit code of a killed app.
    """
    if ended.error:
        return AppFailure(Cause.APP_CANNOT_START, f"the app cannot be started: {ended.error}", NEVER_RAN)
    if ended.disk_excess:
        return AppFailure(Cause.APP_DISK_LIMIT_EXCEEDED, f"the app {ended.disk_excess}", KILLED)
    if ended.out_of_memory:
        mib = limits.memory_bytes // _MIB
        return AppFailure(Cause.APP_OUT_OF_MEMORY, f"out of memory, limit {mib} MiB", KILLED)
    if ended.timed_out:
        message = f"the app was killed at its time limit of {max_execution_s:g} s{_slowed(ended.slowed_to)}"
        return AppFailure(Cause.APP_COMPUTE_TIMEOUT, message, KILLED)
    if ended.exit_code != 0:
        message = f"the app ended with exit code {ended.exit_code}"
        return AppFailure(Cause.APP_COMPUTE_FAILED, message, ended.exit_code)
    return None


def _slowed(bytes_per_s: int) -> str:
    """Return what else an app that was slowed must change to end in time."""
    if not bytes_per_s:
        return ""
    return (
        f"; the worker had slowed it to {bytes_per_s / _MIB:.3g} MiB/s of output, so print less or to a file"
    )
