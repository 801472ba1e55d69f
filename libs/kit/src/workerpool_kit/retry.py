"""Retries with exponential backoff, over the library stamina.

`retry` repeats one step until it succeeds. A loop that holds a connection and reconnects for the life of the process
uses `Backoff.steps` for its pauses. Unary gRPC calls are retried by gRPC itself: see `open_channel(idempotent=...)`.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from workerpool_kit.logs import get_logger

T = TypeVar("T")
log = get_logger()

Retryable = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
"""Which errors are worth another attempt: a class, several classes, or a predicate."""

_REMINDER_S = 60.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts: `first_s` seconds, doubled after each failure up to `longest_s`.

    Each pause is shortened at random by up to the share `jitter`, so that many clients do not retry at one moment.
    """

    first_s: float = 0.2
    longest_s: float = 5.0
    jitter: float = 0.5

    def pause_s(self, failures: int) -> float:
        """Return the seconds to wait after the `failures`-th failure in a row (1 for the first)."""
        # The exponent is bounded: a float overflows after some thousand doublings.
        pause = min(self.first_s * 2.0 ** min(failures - 1, 64), self.longest_s)
        return pause * random.uniform(1 - self.jitter, 1)

    def steps(self) -> "BackoffSteps":
        """Return a counter of failures for a loop that reconnects."""
        return BackoffSteps(self)


class BackoffSteps:
    """The pauses of one reconnecting loop. Call `reset` after a success and `sleep` after a failure."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self.failures = 0
        """Failures in a row, 0 after a success."""

    def next_s(self) -> float:
        """Count one more failure and return the seconds to wait."""
        self.failures += 1
        return self._backoff.pause_s(self.failures)

    def reset(self) -> None:
        """Forget the failures; the next pause is the first one again."""
        self.failures = 0

    async def sleep(self) -> None:
        """Count one more failure and wait."""
        await asyncio.sleep(self.next_s())


async def retry(
    step: Callable[[], Awaitable[T]],
    *,
    what: str,
    on: Retryable,
    backoff: Backoff = Backoff(),
    attempts: int | None = None,
    timeout_s: float | None = None,
    on_failure: Callable[[Exception], None] | None = None,
    **fields: Any,
) -> T:
    """Return the result of `step`, repeated with growing pauses while it raises a retryable error.

    Logs `retry.scheduled` for the first failure and once a minute, and `retry.succeeded` at the end, each with `what`
    and `fields`. Raises the last error once `attempts` were made, once the next pause would pass `timeout_s` seconds
    from the start, and at once for an error that `on` does not accept. Both limits are off by default.

    Args:
        step: The operation, called again for each attempt.
        what: Names the operation in the log, such as `connect to the node`.
        on: The errors that are retried.
        backoff: The pauses.
        attempts: Limit of calls of `step`, the first included.
        timeout_s: Limit of the whole time, in seconds; a running step is not interrupted.
        on_failure: Called with each error that will be retried, for instance to report bad health.
        fields: Further fields of the log events.
    """
    state = _Retrying(what, on, backoff, attempts, timeout_s, on_failure, fields)
    try:
        # The usual case: no library code around a step that succeeds, and stamina is only loaded for the other one.
        return await step()
    except Exception as error:
        if not state.accepts(error):
            raise
        first: Exception | None = error

    async def attempt() -> T:
        nonlocal first
        if first is not None:
            error, first = first, None
            raise error
        return await step()

    import stamina

    # The events below replace the library's own.
    stamina.instrumentation.set_on_retry_hooks(())
    result = await stamina.retry(on=state.next_pause, attempts=attempts, timeout=None)(attempt)()
    state.succeeded()
    return result


class _Retrying:
    """Decides and logs the retries of one operation."""

    def __init__(
        self,
        what: str,
        on: Retryable,
        backoff: Backoff,
        attempts: int | None,
        timeout_s: float | None,
        on_failure: Callable[[Exception], None] | None,
        fields: dict[str, Any],
    ) -> None:
        self._log = log.bind(what=what, **fields)
        self._on = on
        self._backoff = backoff
        self._attempts = attempts
        self._started = time.monotonic()
        self._give_up_at = None if timeout_s is None else self._started + timeout_s
        self._on_failure = on_failure
        self._failures = 0
        self._logged_at = float("-inf")

    def accepts(self, error: Exception) -> bool:
        """Return whether an error is worth another attempt."""
        if isinstance(self._on, type | tuple):
            return isinstance(error, self._on)
        return self._on(error)

    def next_pause(self, error: Exception) -> float | bool:
        """Return the seconds to wait before the next attempt, False to give up."""
        if not self.accepts(error):
            return False
        self._failures += 1
        now, pause = time.monotonic(), self._backoff.pause_s(self._failures)
        if self._attempts is not None and self._failures >= self._attempts:
            return False
        if self._give_up_at is not None and now + pause > self._give_up_at:
            return False
        if self._on_failure is not None:
            self._on_failure(error)
        if now >= self._logged_at + _REMINDER_S:
            self._logged_at = now
            self._log.warning(
                "retry.scheduled",
                error=str(error) or type(error).__name__,
                failures=self._failures,
                retry_in_s=round(pause, 2),
            )
        return pause

    def succeeded(self) -> None:
        """Log that the operation works again."""
        seconds = round(time.monotonic() - self._started, 2)
        self._log.info("retry.succeeded", failures=self._failures, seconds=seconds)
