"""The rate of calls and the pauses that a node asks for, on a clock that the test owns."""

import math
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from workerpool_poco.chain.traffic import LONGEST_PAUSE_S, Traffic
from workerpool_poco.chain.transport import retry_after_s


class Clock:
    """A clock that moves only while something sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Counts:
    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.refusals = 0

    def called(self, method: str) -> None:
        self.calls[method] += 1

    def throttled(self) -> None:
        self.refusals += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


def traffic(clock: Clock, calls_per_s: float = math.inf, observer: Counts | None = None) -> Traffic:
    return Traffic(calls_per_s=calls_per_s, observer=observer, monotonic=clock.monotonic, sleep=clock.sleep)


async def test_calls_beyond_the_rate_wait(clock: Clock) -> None:
    budget = traffic(clock, calls_per_s=10)
    for _ in range(40):
        await budget.admit(["eth_call"])
    assert clock.now == pytest.approx(100 + 2.9)


async def test_a_batch_costs_each_of_its_calls_and_never_starves(clock: Clock) -> None:
    budget = traffic(clock, calls_per_s=10)
    await budget.admit(["eth_call"] * 50)
    assert clock.now == 100
    await budget.admit(["eth_call"])
    assert clock.now == pytest.approx(104)


async def test_without_a_rate_no_call_waits(clock: Clock) -> None:
    budget = traffic(clock)
    for _ in range(10_000):
        await budget.admit(["eth_call"])
    assert clock.now == 100


async def test_the_pause_that_the_node_asks_for_holds_every_call(clock: Clock) -> None:
    budget = traffic(clock)
    budget.refused(await budget.admit(["eth_call"]), 7)
    await budget.admit(["eth_blockNumber"])
    assert 107 <= clock.now <= 107.5


@pytest.mark.parametrize(("wanted", "at_least"), [(86_400.0, LONGEST_PAUSE_S), (-5.0, 0)])
async def test_pauses_are_bounded(clock: Clock, wanted: float, at_least: float) -> None:
    budget = traffic(clock)
    budget.refused(await budget.admit(["eth_call"]), wanted)
    await budget.admit(["eth_call"])
    assert at_least <= clock.now - 100 <= at_least + 0.5


async def test_pauses_without_a_wish_grow_until_an_answer(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.5)
    budget = traffic(clock)

    async def refused() -> float:
        before = clock.now
        budget.refused(await budget.admit(["eth_call"]), None)
        return clock.now - before

    pauses = [await refused() for _ in range(8)]
    assert pauses[0] == 0
    assert all(later > earlier * 1.2 for earlier, later in pairwise(pauses[1:6]))
    assert max(pauses) < 9
    budget.answered(await budget.admit(["eth_call"]))
    budget.refused(await budget.admit(["eth_call"]), None)
    before = clock.now
    await budget.admit(["eth_call"])
    assert clock.now - before <= 0.5


async def test_refusals_of_calls_in_flight_together_count_once(clock: Clock) -> None:
    budget = traffic(clock)
    admitted = [await budget.admit(["eth_call"]) for _ in range(30)]
    clock.now += 0.01
    for each in admitted:
        budget.refused(each, None)
    await budget.admit(["eth_call"])
    assert clock.now - 100 <= 0.6


async def test_a_node_that_says_when_to_return_is_not_called_less_often(clock: Clock) -> None:
    budget = traffic(clock, calls_per_s=1_000)
    for _ in range(20):
        budget.refused(await budget.admit(["eth_call"]), 1)
    assert budget.calls_per_s == 1_000
    assert clock.now - 100 < 20 * 1.3


async def test_the_rate_does_not_fall_below_the_smallest_plans(clock: Clock) -> None:
    budget = traffic(clock)
    for _ in range(20):
        clock.now += 1
        budget.refused(await budget.admit(["eth_call"]), None)
    assert budget.calls_per_s == pytest.approx(5)
    slow = traffic(clock, calls_per_s=2)
    slow.refused(await slow.admit(["eth_call"]), None)
    assert slow.calls_per_s == 2


async def test_the_rate_falls_after_a_refusal_and_recovers(clock: Clock) -> None:
    budget = traffic(clock, calls_per_s=1_000)
    for _ in range(50):
        await budget.admit(["eth_call"])
    budget.refused(clock.now, None)
    assert budget.calls_per_s == pytest.approx(35)
    assert budget.largest_batch == pytest.approx(35)
    clock.now += 10
    assert 70 < budget.calls_per_s < 100
    clock.now += 300
    assert budget.calls_per_s == 1_000


async def test_a_provider_that_allows_25_calls_a_second_refuses_few(clock: Clock) -> None:
    """A pool that wants 60 calls/s: the provider refuses what exceeds 25 in a second."""
    budget = traffic(clock)
    second, used, refused, answered = 0, 0, 0, 0
    while clock.now < 400:
        admitted = await budget.admit(["eth_call"])
        if math.floor(clock.now) != second:
            second, used = math.floor(clock.now), 0
        used += 1
        if used > 25:
            refused += 1
            budget.refused(admitted, None)
        else:
            answered += 1
            budget.answered(admitted)
        clock.now += 1 / 60
    assert refused < answered * 0.05
    assert answered > 300 * 12


async def test_every_call_and_refusal_is_counted(clock: Clock) -> None:
    counts = Counts()
    budget = traffic(clock, observer=counts)
    admitted = await budget.admit(["eth_call", "eth_call", "eth_blockNumber"])
    budget.refused(admitted, None)
    budget.refused(admitted, None)
    budget.count("eth_subscribe")
    assert counts.calls == {"eth_call": 2, "eth_blockNumber": 1, "eth_subscribe": 1}
    assert counts.refusals == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("Sat, 28 Nov 2026 21:00:10 GMT", 10),
        ("Saturday, 28-Nov-26 21:00:10 GMT", 10),
        ("Sat, 28 Nov 2026 20:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("Sat, 99 Nov 2026", None),
        ("Thu, 01 Jan 0000 00:00:00 GMT", 0),
    ],
)
def test_retry_after_holds_seconds_or_a_date(text: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 28, 21, 0, 0, tzinfo=UTC)
    assert retry_after_s({"Retry-After": text}, now) == seconds
    assert retry_after_s(None, now) is None
