"""Sessions of operators on the page, in memory: a restart ends them."""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from workerpool_kit.access.authenticators import WrongPassword
from workerpool_kit.access.wrong_passwords import WrongPasswords
from workerpool_kit.clock import Clock

from workerpool_core.errors import FormExpired, OperatorDisabled

LIFETIME_S = 12 * 3600.0
"""Seconds after which an operator must sign in again, even in use."""
IDLE_S = 3600.0
"""Seconds without a request after which a session ends."""
MOST = 64
"""Most sessions at once; above it the least recently used one ends."""


@dataclass(slots=True)
class OperatorSession:
    """One browser in which an operator signed in.

    `id` is a secret between this browser and core. `form_token` is in each form of its pages, so that other sites
    cannot submit them (CSRF).
    """

    username: str
    ends_at: float
    used_at: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def check_form(self, token: str) -> None:
        """Raise FormExpired unless the form is from a page of this session."""
        if not hmac.compare_digest(token.encode(), self.form_token.encode()):
            raise FormExpired("the page is from an earlier session; reload it and repeat the step")


class OperatorSessions:
    """The sessions of signed-in operators."""

    def __init__(self, clock: Clock, username: str, password: str | None) -> None:
        """Create without sessions; without a password every sign-in is refused."""
        self._clock = clock
        self._username = username
        self._password = password
        self._sessions: OrderedDict[str, OperatorSession] = OrderedDict()
        self._wrong_passwords = WrongPasswords(clock.now)

    @property
    def enabled(self) -> bool:
        """Whether operators can sign in: a user name and a password are configured."""
        return self._password is not None

    def sign_in(self, username: str, password: str, address: str) -> OperatorSession:
        """Return a new session for a caller at an address.

        Raises OperatorDisabled, WrongPassword, or TooManyWrongPasswords.
        """
        if self._password is None:
            raise OperatorDisabled(
                "operators cannot sign in: set IEXEC_CORE_OPERATOR_USERNAME and IEXEC_CORE_OPERATOR_PASSWORD on core"
            )
        self._wrong_passwords.check(address)
        # Both in constant time: the duration must not reveal how many characters match.
        named = hmac.compare_digest(username.encode(), self._username.encode())
        proved = hmac.compare_digest(password.encode(), self._password.encode())
        if not (named and proved):
            self._wrong_passwords.add(address)
            raise WrongPassword("wrong user name or password; correct them and sign in again")
        now = self._clock.now()
        session = OperatorSession(self._username, now + LIFETIME_S, now)
        self._sessions[session.id] = session
        while len(self._sessions) > MOST:
            self._sessions.popitem(last=False)
        return session

    def find(self, session_id: str) -> OperatorSession | None:
        """Return the session of a browser; None when it has none or it has ended."""
        session = self._sessions.get(session_id)
        if session is None:
            return None
        now = self._clock.now()
        if now >= session.ends_at or now - session.used_at >= IDLE_S:
            del self._sessions[session_id]
            return None
        session.used_at = now
        self._sessions.move_to_end(session_id)
        return session

    def end(self, session_id: str) -> None:
        """End a session, so that a copy of its cookie becomes invalid."""
        self._sessions.pop(session_id, None)
