"""Wrong passwords of one address are limited, and those of others are not affected."""

import pytest
from workerpool_kit.access import wrong_passwords
from workerpool_kit.access.wrong_passwords import (
    ALLOWED,
    PAUSE_S,
    RETRY_AFTER,
    TooManyWrongPasswords,
    WrongPasswords,
)
from workerpool_kit.clock import FakeClock

ONE, OTHER = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def wrong(clock: FakeClock) -> WrongPasswords:
    return WrongPasswords(clock.now)


def exhaust(wrong: WrongPasswords, address: str) -> None:
    for _ in range(ALLOWED):
        wrong.check(address)
        wrong.add(address)


def test_an_address_waits_after_too_many_and_then_has_one_more(
    wrong: WrongPasswords, clock: FakeClock
) -> None:
    exhaust(wrong, ONE)
    with pytest.raises(TooManyWrongPasswords, match="wait 5 s") as refused:
        wrong.check(ONE)
    assert refused.value.details == {RETRY_AFTER: str(int(PAUSE_S))}
    clock.advance(PAUSE_S)
    wrong.check(ONE)
    wrong.add(ONE)
    with pytest.raises(TooManyWrongPasswords):
        wrong.check(ONE)
    clock.advance(ALLOWED * PAUSE_S)
    exhaust(wrong, ONE)


def test_another_address_is_not_affected(wrong: WrongPasswords) -> None:
    exhaust(wrong, ONE)
    wrong.check(OTHER)


def test_a_clock_that_goes_back_lengthens_no_wait(wrong: WrongPasswords, clock: FakeClock) -> None:
    exhaust(wrong, ONE)
    clock.advance(-3_600)
    with pytest.raises(TooManyWrongPasswords, match="wait 5 s"):
        wrong.check(ONE)


@pytest.mark.parametrize(
    ("address", "same", "different"),
    [
        ("2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1"),
        ("::ffff:203.0.113.7", ONE, OTHER),
        ("fe80::1%eth0", "fe80::2", "fe80:0:0:1::1"),
        ("unix:", "unix:", "unix:/run/other"),
    ],
)
def test_an_ipv6_network_is_one_caller(
    wrong: WrongPasswords, address: str, same: str, different: str
) -> None:
    exhaust(wrong, address)
    with pytest.raises(TooManyWrongPasswords):
        wrong.check(same)
    wrong.check(different)


def test_the_number_of_remembered_addresses_is_bounded(
    wrong: WrongPasswords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_passwords, "MAX_ADDRESSES", 2)
    exhaust(wrong, ONE)
    for last in range(2):
        wrong.add(f"198.51.100.{last}")
    assert len(wrong._counts) == 2
    wrong.check(ONE)
