"""Retries with backoff: which errors, how often, how long, and what is logged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
import stamina
from patience import PATIENCE_S
from structlog.testing import capture_logs
from workerpool_kit.retry import Backoff, retry

QUICK = Backoff(first_s=0.001, longest_s=0.004, jitter=0)


class Flaky:
    """A step that fails with each of the given errors in turn, then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors = iter(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        for error in self._errors:
            raise error
        return "done"


@pytest.fixture
def no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=50):
        yield


async def test_step_that_succeeds_is_called_once_and_logs_nothing() -> None:
    step = Flaky()
    with capture_logs() as events:
        assert await retry(step, what="x", on=OSError) == "done"
    assert (step.calls, events) == (1, [])


async def test_first_failure_and_recovery_are_logged_once() -> None:
    step = Flaky(OSError("away"), OSError("away"), OSError())
    with capture_logs() as events:
        assert await retry(step, what="reach the node", on=OSError, backoff=QUICK, node="n") == "done"
    assert step.calls == 4
    assert [(event["event"], event["what"], event["node"], event["failures"]) for event in events] == [
        ("retry.scheduled", "reach the node", "n", 1),
        ("retry.succeeded", "reach the node", "n", 3),
    ]
    assert events[0]["error"] == "away"


@pytest.mark.parametrize(
    "on",
    [OSError, (OSError, KeyError), lambda error: isinstance(error, OSError)],
    ids=["class", "tuple", "call"],
)
async def test_other_error_is_raised_at_once(on: type[Exception]) -> None:
    step = Flaky(OSError(), ValueError("wrong"), OSError())
    with pytest.raises(ValueError, match="wrong"):
        await retry(step, what="x", on=on, backoff=QUICK)
    assert step.calls == 2


async def test_error_of_the_first_attempt_is_judged_as_well() -> None:
    step = Flaky(ValueError("wrong"))
    with pytest.raises(ValueError, match="wrong"):
        await retry(step, what="x", on=OSError)
    assert step.calls == 1


async def test_attempts_are_limited_and_the_last_error_is_raised() -> None:
    step = Flaky(OSError("1"), OSError("2"), OSError("3"))
    with pytest.raises(OSError, match="2"):
        await retry(step, what="x", on=OSError, backoff=QUICK, attempts=2)
    assert step.calls == 2


async def test_no_pause_passes_the_timeout() -> None:
    longer, longest = 2 * PATIENCE_S, 3 * PATIENCE_S
    step = Flaky(*[OSError("away")] * 5)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(OSError, match="away"):
            await retry(step, what="x", on=OSError, backoff=Backoff(longest, longest, 0), timeout_s=longer)
    assert step.calls == 1


async def test_each_retried_failure_is_reported() -> None:
    seen: list[str] = []
    step = Flaky(OSError("1"), OSError("2"))
    await retry(step, what="x", on=OSError, backoff=QUICK, on_failure=lambda error: seen.append(str(error)))
    assert seen == ["1", "2"]


@pytest.mark.usefixtures("no_pauses")
async def test_stamina_test_mode_removes_the_pauses() -> None:
    async with asyncio.timeout(PATIENCE_S):
        assert (
            await retry(
                Flaky(OSError(), OSError()),
                what="x",
                on=OSError,
                backoff=Backoff(10 * PATIENCE_S, 10 * PATIENCE_S),
            )
            == "done"
        )


async def test_cancellation_ends_the_pause() -> None:
    failed = asyncio.Event()
    call: Callable[[], Awaitable[str]] = lambda: retry(  # noqa: E731
        Flaky(OSError(), OSError()),
        what="x",
        on=OSError,
        backoff=Backoff(100),
        on_failure=lambda _: failed.set(),
    )
    task = asyncio.ensure_future(call())
    await failed.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=1, longest_s=6, jitter=0)
    assert [backoff.pause_s(failures) for failures in (1, 2, 3, 4, 10_000)] == [1, 2, 4, 6, 6]


def test_jitter_only_shortens_a_pause_and_also_the_longest() -> None:
    backoff = Backoff(first_s=1, longest_s=1, jitter=0.25)
    pauses = {backoff.pause_s(5) for _ in range(200)}
    assert 0.75 <= min(pauses) < 0.8 < 0.95 < max(pauses) <= 1


async def test_steps_start_again_after_a_reset() -> None:
    steps = Backoff(first_s=0.001, longest_s=1, jitter=0).steps()
    assert [steps.next_s(), steps.next_s()] == [0.001, 0.002]
    steps.reset()
    await steps.sleep()
    assert steps.failures == 1
