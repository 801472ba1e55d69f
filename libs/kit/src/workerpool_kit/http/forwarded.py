"""The caller behind trusted reverse proxies, as the application sees it."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from workerpool_kit.access.callers import FORWARDED_FOR, TrustedProxies

_FORWARDED_PROTO = "x-forwarded-proto"
_SCHEMES = ("http", "https")


class BehindProxies:
    """Replaces address and scheme of a request by those that a trusted proxy names, by the rule of the gRPC ports.

    uvicorn's own rule believes the first address of the header when every peer is trusted. A caller can write that one.
    """

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        client = scope.get("client")
        if scope["type"] == "http" and client is not None and self._proxies.trusts(client[0]):
            given = Headers(scope=scope)
            caller = self._proxies.caller(client[0], ",".join(given.getlist(FORWARDED_FOR)))
            if caller != client[0]:
                scope["client"] = (caller, 0)
            if (scheme := given.get(_FORWARDED_PROTO, "").strip()) in _SCHEMES:
                scope["scheme"] = scheme
        await self._app(scope, receive, send)
