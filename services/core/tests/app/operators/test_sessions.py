"""Operators sign in with one user name and password; sessions end, and are bounded in number."""

import pytest
from workerpool_core.app.operators.sessions import IDLE_S, LIFETIME_S, MOST, OperatorSessions
from workerpool_core.errors import FormExpired, OperatorDisabled
from workerpool_kit.access.wrong_passwords import ALLOWED, PAUSE_S, TooManyWrongPasswords
from workerpool_kit.clock import FakeClock
from workerpool_kit.errors import Unauthenticated

CREDENTIALS = ("ops", "pässword:1")
ADDRESS, OTHER_ADDRESS = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sessions(clock: FakeClock) -> OperatorSessions:
    return OperatorSessions(clock, *CREDENTIALS)


def test_the_right_credentials_open_a_session_with_secrets_of_its_own(sessions: OperatorSessions) -> None:
    first, second = sessions.sign_in(*CREDENTIALS, ADDRESS), sessions.sign_in(*CREDENTIALS, ADDRESS)
    assert first.username == "ops"
    assert sessions.find(first.id) is first
    assert len({first.id, second.id, first.form_token, second.form_token}) == 4
    assert first.id not in repr(first)
    assert first.form_token not in repr(first)


@pytest.mark.parametrize(
    ("username", "password"), [("ops", "x"), ("", ""), ("ops:p", "ässword:1"), ("Ops", "pässword:1")]
)
def test_other_credentials_open_none(sessions: OperatorSessions, username: str, password: str) -> None:
    with pytest.raises(Unauthenticated):
        sessions.sign_in(username, password, ADDRESS)


@pytest.mark.parametrize("password", ["", "x"])
def test_without_a_configured_password_none_is_right(clock: FakeClock, password: str) -> None:
    sessions = OperatorSessions(clock, "", None)
    assert not sessions.enabled
    with pytest.raises(OperatorDisabled):
        sessions.sign_in("", password, ADDRESS)


def test_an_address_with_too_many_wrong_passwords_waits_and_no_other(
    sessions: OperatorSessions, clock: FakeClock
) -> None:
    for _ in range(ALLOWED):
        with pytest.raises(Unauthenticated, match="wrong user name or password"):
            sessions.sign_in("ops", "guess", ADDRESS)
    for password in ("guess", CREDENTIALS[1]):
        with pytest.raises(TooManyWrongPasswords, match="wait 5 s"):
            sessions.sign_in("ops", password, ADDRESS)
    assert sessions.sign_in(*CREDENTIALS, OTHER_ADDRESS)
    clock.advance(PAUSE_S)
    assert sessions.sign_in(*CREDENTIALS, ADDRESS)


def test_a_session_ends_when_idle_after_its_lifetime_and_when_signed_out(
    sessions: OperatorSessions, clock: FakeClock
) -> None:
    idle, busy, signed_out = (sessions.sign_in(*CREDENTIALS, ADDRESS) for _ in range(3))
    sessions.end(signed_out.id)
    sessions.end("unknown")
    assert sessions.find(signed_out.id) is None
    for _ in range(int(LIFETIME_S / IDLE_S * 2) - 1):
        clock.advance(IDLE_S / 2)
        assert sessions.find(busy.id) is busy
    assert sessions.find(idle.id) is None
    clock.advance(IDLE_S / 2)
    assert sessions.find(busy.id) is None


def test_the_least_recently_used_session_is_evicted(sessions: OperatorSessions) -> None:
    known = [sessions.sign_in(*CREDENTIALS, ADDRESS) for _ in range(MOST)]
    sessions.find(known[0].id)
    sessions.sign_in(*CREDENTIALS, ADDRESS)
    assert sessions.find(known[0].id) is known[0]
    assert sessions.find(known[1].id) is None


def test_a_form_belongs_to_its_session(sessions: OperatorSessions) -> None:
    mine, other = sessions.sign_in(*CREDENTIALS, ADDRESS), sessions.sign_in(*CREDENTIALS, ADDRESS)
    mine.check_form(mine.form_token)
    for token in ("", other.form_token, "ä"):
        with pytest.raises(FormExpired):
            mine.check_form(token)
