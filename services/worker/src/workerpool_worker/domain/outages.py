"""How long a stage waits for an engine that does not answer. Then the scheduler gives the task to another worker."""

from workerpool_worker.domain.stages import Stage

COMPUTE_LIMIT_S = 60.0
"""Longest outage in a stage whose app may still run, in seconds."""
EARLY_LIMIT_S = 5.0
"""The same for a stage before the computation, which another worker repeats at no cost."""
WORKING_S = 180.0
"""An attempt that took this long before it failed had a working engine, so its outage is a new one."""
_BEFORE_COMPUTE = frozenset({Stage.START, Stage.DOWNLOAD_APP, Stage.DOWNLOAD_DATA})


class EngineOutage:
    """The outages of the engine during the attempts of one stage. Times are seconds on a monotonic clock."""

    def __init__(self, stage: Stage, now: float) -> None:
        """Begin the first attempt."""
        self._limit_s = EARLY_LIMIT_S if stage in _BEFORE_COMPUTE else COMPUTE_LIMIT_S
        self._attempt_began = now
        self._began: float | None = None

    def allows_retry(self, now: float, *, engine_failed: bool, never_ran: bool = False) -> bool:
        """Record a failed attempt and return whether the stage may be retried; always true for other errors.

        With `never_ran` no app can be running, so another worker repeats the stage at no cost.
        """
        if not engine_failed or now - self._attempt_began > WORKING_S:
            self._began = None
        self._attempt_began = now
        if not engine_failed:
            return True
        self._began = now if self._began is None else self._began
        return now - self._began < (EARLY_LIMIT_S if never_ran else self._limit_s)
