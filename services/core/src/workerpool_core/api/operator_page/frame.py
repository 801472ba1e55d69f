"""The shared parts of all pages: the visitor, relative links, refusals, and operator actions."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response
from workerpool_kit.access import audit
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.http.answers import HTTP_STATUS
from workerpool_kit.http.forms import read_form
from workerpool_kit.targets import host_and_port

from workerpool_core.api.operator_page.rendering import Renderer, see_other
from workerpool_core.app.operators.sessions import OperatorSession, OperatorSessions
from workerpool_core.errors import SignInRequired

COOKIE = "workerpool_operator"
ROOT = "/ui/"
"""The path of the page on the port."""
_TITLES = {
    Kind.NOT_FOUND: "Not found",
    Kind.UNAVAILABLE: "Not available now",
    Kind.UNAUTHENTICATED: "Sign in first",
    Kind.PERMISSION: "Not allowed",
    Kind.INVALID: "Malformed request",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser; `session` is that of a signed-in operator, None for anonymous visitors."""

    request: Request
    session: OperatorSession | None

    @property
    def path(self) -> str:
        """The requested path, relative to the root of the page."""
        return str(self.request.scope["path"]).removeprefix(ROOT)

    @property
    def up(self) -> str:
        """The relative path from the requested one to the root of the page, valid below any prefix of a proxy."""
        return "../" * self.path.count("/") or "./"

    @property
    def here(self) -> str:
        """The requested path and query, relative to the root of the page."""
        query = self.request.scope["query_string"].decode("latin-1")
        return f"{self.path}?{query}" if query else self.path

    @property
    def encrypted(self) -> bool:
        """Whether the browser uses TLS, to this port or to a reverse proxy of this host."""
        return bool(self.request.scope["scheme"] == "https")

    @property
    def address(self) -> str:
        """The address of the caller without its port; behind a trusted reverse proxy, that of the browser."""
        client = self.request.client
        return client.host if client else ""

    @property
    def peer(self) -> str:
        """The address of the caller, for the audit log."""
        client = self.request.client
        return host_and_port(client.host, client.port) if client else "unknown"

    def query(self, name: str) -> str:
        """Return a parameter of the query without surrounding blanks; empty when missing."""
        return self.request.query_params.get(name, "").strip()

    def path_part(self, name: str) -> str:
        """Return a named part of the path."""
        return str(self.request.path_params[name])


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """An action of an operator: the equivalent gRPC method and request, and the page that shows its effect."""

    method: str
    request: Message
    perform: Callable[[], Awaitable[object]]
    then: str


ActionOf = Callable[[Visit, Mapping[str, str]], OperatorAction]


class Frame:
    """The wrapper of handlers into endpoints."""

    def __init__(self, renderer: Renderer, sessions: OperatorSessions) -> None:
        self._renderer = renderer
        self._sessions = sessions

    def page(self, visit: Visit, template: str, status: int = 200, **content: Any) -> Response:
        """Return a page with the content that all pages share."""
        session = visit.session
        shared = {
            "up": visit.up,
            "here": visit.here,
            "operator": session.username if session is not None else "",
            "form_token": session.form_token if session is not None else "",
            "can_sign_in": self._sessions.enabled,
        }
        return self._renderer.page(template, shared | content, status)

    def for_everyone(self, handler: Handler) -> Endpoint:
        """Return the endpoint of a page that is open to anonymous visitors."""

        async def endpoint(request: Request) -> Response:
            visit = self._visit(request)
            try:
                return await handler(visit)
            except WorkerpoolError as error:
                return self._refused(visit, error)

        return endpoint

    def for_operators(self, handler: Handler) -> Endpoint:
        """Return the endpoint of a page for signed-in operators; others are redirected to sign in and back."""

        async def guarded(visit: Visit) -> Response:
            if visit.session is None:
                return see_other(f"{visit.up}sign-in?{urlencode({'next': visit.here})}")
            return await handler(visit)

        return self.for_everyone(guarded)

    def for_actions(self, action_of: ActionOf) -> Endpoint:
        """Return the endpoint of a form that performs an action, for signed-in operators and forms of the page only.

        Each action writes the same line to the audit log as its gRPC method.
        """

        async def act(visit: Visit) -> Response:
            form = await read_form(visit.request)
            if visit.session is None:
                raise SignInRequired("your session has ended; sign in and repeat the step")
            visit.session.check_form(form.get("form_token", ""))
            action = action_of(visit, form)
            outcome = "INTERNAL"
            try:
                await action.perform()
                outcome = "OK"
            except WorkerpoolError as error:
                outcome = error.reason
                raise
            finally:
                audit.order_handled(
                    visit.session.username, action.method, action.request, outcome, visit.peer
                )
            return see_other(quote(action.then, safe="/.?=&"))

        return self.for_everyone(act)

    def _visit(self, request: Request) -> Visit:
        return Visit(request, self._sessions.find(request.cookies.get(COOKIE, "")))

    def _refused(self, visit: Visit, error: WorkerpoolError) -> Response:
        if error.kind in (Kind.UNAUTHENTICATED, Kind.PERMISSION):
            called = f"{visit.request.method} {visit.request.scope['path']}"
            audit.access_refused(called, error.reason, error.message, visit.peer)
        return self.page(
            visit,
            "problem.html",
            HTTP_STATUS[error.kind],
            title=_TITLES.get(error.kind, "It did not work"),
            problem=f"{error.message[:1].upper()}{error.message[1:]}.".replace("..", "."),
            reason=error.reason,
        )
