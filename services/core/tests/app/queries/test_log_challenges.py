"""Log challenges: several per requester, bounded, remembered until they expire."""

from itertools import count

import pytest
from workerpool_core.app.queries import log_challenges
from workerpool_core.app.queries.log_challenges import LIFETIME_S, MAX_EACH, LogChallenges
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.encoding.typed_data import LogChallenge
from workerpool_poco.protocol.ids import Address

A, B, C = (Address("0x" + digit * 40) for digit in "abc")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_700_000_000.0)


@pytest.fixture
def issued(clock: FakeClock) -> LogChallenges:
    numbers = count(1)
    return LogChallenges(clock, lambda: LogChallenge(str(next(numbers)), 134))


def texts(issued: LogChallenges, requester: Address) -> set[str]:
    return {each.challenge.challenge for each in issued.of(requester)}


def test_each_request_has_a_challenge_of_its_own_for_an_hour(clock: FakeClock, issued: LogChallenges) -> None:
    assert [issued.issue(A).challenge for _ in range(2)] == ["1", "2"]
    clock.advance(LIFETIME_S - 1)
    issued.issue(A)
    assert texts(issued, A) == {"1", "2", "3"}
    clock.advance(1)
    assert texts(issued, A) == {"3"}
    clock.advance(LIFETIME_S)
    assert issued.of(A) == []


def test_a_flood_of_requests_drops_no_open_challenge_of_its_address(issued: LogChallenges) -> None:
    first = [issued.issue(A) for _ in range(MAX_EACH)]
    again = [issued.issue(A) for _ in range(MAX_EACH)]
    assert again == first, "each open one is given again in turn"
    assert len(issued.of(A)) == MAX_EACH


def test_a_new_challenge_replaces_a_used_one(issued: LogChallenges) -> None:
    first = [issued.issue(A) for _ in range(MAX_EACH)]
    issued.of(A)[3].used = True
    assert issued.issue(A) not in first
    assert texts(issued, A).isdisjoint({first[3].challenge})
    assert len(issued.of(A)) == MAX_EACH


def test_the_oldest_addresses_are_evicted_above_the_limit_of_all(
    issued: LogChallenges, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(log_challenges, "_MOST", 3)
    for requester in (A, A, B, C):
        issued.issue(requester)
    assert [len(issued.of(requester)) for requester in (A, B, C)] == [0, 1, 1]
    clock.advance(LIFETIME_S)
    for requester in (A, A, A):
        # What has expired, or was evicted, does not count any more.
        issued.issue(requester)
    assert len(issued.of(A)) == 3
