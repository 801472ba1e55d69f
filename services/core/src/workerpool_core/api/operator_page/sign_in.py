"""Sign-in and sign-out on the page."""

import re

from starlette.responses import Response
from workerpool_kit.access import audit
from workerpool_kit.access.wrong_passwords import RETRY_AFTER, TooManyWrongPasswords
from workerpool_kit.errors import Unauthenticated
from workerpool_kit.http.forms import read_form

from workerpool_core.api.operator_page.frame import COOKIE, Frame, Visit
from workerpool_core.api.operator_page.rendering import see_other
from workerpool_core.app.operators.sessions import LIFETIME_S, OperatorSessions

_OUR_PATH = re.compile(r"[a-z-]*(?:/[0-9A-Za-z-]+)*(?:\?[0-9A-Za-z&=_%.+-]*)?")
"""A path below the root of the page, never the address of another site."""
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


class SignIn:
    """The pages of the sign-in form."""

    def __init__(self, frame: Frame, sessions: OperatorSessions) -> None:
        self._frame = frame
        self._sessions = sessions

    async def form(self, visit: Visit) -> Response:
        """Show the form, or redirect a signed-in operator."""
        wanted = _our_path(visit.query("next"))
        if visit.session is not None:
            return see_other(f"./{wanted}")
        return self._show(visit, wanted)

    async def sign_in(self, visit: Visit) -> Response:
        """Open a session for the right user name and password, and redirect; otherwise show the form again."""
        form = await read_form(visit.request)
        wanted = _our_path(form.get("next", ""))
        try:
            session = self._sessions.sign_in(
                form.get("username", ""), form.get("password", ""), visit.address
            )
        except Unauthenticated as error:
            audit.access_refused("POST /ui/sign-in", error.reason, error.message, visit.peer)
            return self._refused(visit, wanted, error)
        audit.logged_in(session.username, visit.peer)
        answer = see_other(f"./{wanted}")
        answer.set_cookie(
            COOKIE,
            session.id,
            max_age=int(LIFETIME_S),
            httponly=True,
            samesite="lax",
            secure=visit.encrypted,
        )
        return answer

    async def sign_out(self, visit: Visit) -> Response:
        """End the session."""
        form = await read_form(visit.request)
        if visit.session is not None:
            visit.session.check_form(form.get("form_token", ""))
            self._sessions.end(visit.session.id)
        answer = see_other("./")
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    def _refused(self, visit: Visit, wanted: str, error: Unauthenticated) -> Response:
        if not isinstance(error, TooManyWrongPasswords):
            return self._show(visit, wanted, 401, problem="The user name or the password is wrong.")
        wait_s = error.details[RETRY_AFTER]
        problem = f"Too many wrong passwords came from your address. Wait {wait_s} seconds, then sign in."
        answer = self._show(visit, wanted, 429, problem=problem)
        answer.headers["Retry-After"] = wait_s
        return answer

    def _show(self, visit: Visit, wanted: str, status: int = 200, problem: str = "") -> Response:
        cleartext = not (visit.encrypted or _is_local(visit.request.headers.get("host", "")))
        return self._frame.page(
            visit, "sign_in.html", status, next=wanted, problem=problem, cleartext=cleartext
        )


def _our_path(path: str) -> str:
    """Return the target after the sign-in: a path of this page, else its root."""
    return path if _OUR_PATH.fullmatch(path) else ""


def _is_local(host: str) -> bool:
    """Return whether a browser that requests this host, with or without a port, runs on the same machine."""
    return any(host == name or host.startswith(f"{name}:") for name in _LOOPBACK)
