"""Open challenges: one per address, bounded, single use."""

from itertools import count

import pytest
from workerpool_core.app.workers import challenges
from workerpool_core.app.workers.challenges import OpenChallenges
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import Address

A, B, C = (Address("0x" + digit * 40) for digit in "abc")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_700_000_000.0)


@pytest.fixture
def given(clock: FakeClock) -> OpenChallenges[int]:
    return OpenChallenges(clock, lifetime_s=60)


def test_an_address_has_one_until_it_is_used_or_expires(clock: FakeClock, given: OpenChallenges[int]) -> None:
    made = count(1)
    first = given.issue(A, lambda: next(made))
    clock.advance(59)
    assert given.issue(A, lambda: next(made)) == given.of(A) == first
    clock.advance(1)
    assert given.of(A) is None
    assert given.issue(A, lambda: next(made)).challenge == 2
    given.consume(A)
    assert given.of(A) is None
    assert given.issue(A, lambda: next(made)).challenge == 3


def test_the_oldest_challenge_is_evicted_above_the_limit(
    given: OpenChallenges[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenges, "_MAX_OPEN", 2)
    for address in (A, B, C):
        given.issue(address, lambda: 1)
    assert [given.of(address) is not None for address in (A, B, C)] == [False, True, True]
