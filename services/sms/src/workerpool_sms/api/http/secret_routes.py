"""HTTP routes of secrets (worker spec D, `sdk_http.md` §3.3): existence by HEAD, a write by POST or PUT.

The body of a write is the value as text/plain; `Authorization` is the owner's signature.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from workerpool_kit.http.answers import refusal
from workerpool_kit.http.bodies import BodyTooLarge, read_body
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import from_hex

from workerpool_sms.app.secrets import Secrets
from workerpool_sms.domain.secrets import (
    APP_SECRET_INDEX,
    MAX_VALUE_BYTES,
    SecretKind,
    SecretName,
    too_large,
)
from workerpool_sms.errors import SecretNotText, SecretTooLarge

_HAS, _SET, _REPLACE = "HEAD", "POST", "PUT"


def routes(secrets: Secrets) -> list[Route]:
    """Return the routes of the four kinds of secrets."""

    async def handle(request: Request, name: SecretName) -> Response:
        if request.method == _HAS:
            await secrets.require(name)
            return Response(status_code=204)
        try:
            await secrets.set(
                name, await _value(request), _signature(request), replace=request.method == _REPLACE
            )
        except SecretTooLarge as error:
            return refusal(error, 413)
        return Response(status_code=204)

    async def web3(request: Request) -> Response:
        return await handle(request, SecretName.parse(SecretKind.WEB3, _query(request, "secretAddress")))

    async def web2(request: Request) -> Response:
        owner, key = _query(request, "ownerAddress"), _query(request, "secretName")
        return await handle(request, SecretName.parse(SecretKind.WEB2, owner, key))

    async def app(request: Request) -> Response:
        index = request.path_params.get("index", APP_SECRET_INDEX)
        name = SecretName.parse(SecretKind.APP_DEVELOPER, request.path_params["address"], index)
        return await handle(request, name)

    async def requester(request: Request) -> Response:
        owner, key = request.path_params["address"], request.path_params["key"]
        return await handle(request, SecretName.parse(SecretKind.REQUESTER, owner, key))

    return [
        Route("/secrets/web3", web3, methods=[_HAS, _SET]),
        Route("/secrets/web2", web2, methods=[_HAS, _SET, _REPLACE]),
        Route("/apps/{address}/secrets", app, methods=[_HAS, _SET]),
        # SDK 7.x sends the index, which is always 1.
        Route("/apps/{address}/secrets/{index}", app, methods=[_HAS, _SET]),
        Route("/requesters/{address}/secrets/{key}", requester, methods=[_HAS, _SET]),
    ]


def _query(request: Request, key: str) -> str:
    return request.query_params.get(key, "")


async def _value(request: Request) -> str:
    try:
        return (await read_body(request, MAX_VALUE_BYTES)).decode()
    except BodyTooLarge:
        raise too_large() from None
    except UnicodeDecodeError:
        raise SecretNotText("the value is not UTF-8 text; encode it, in base64 for example") from None


def _signature(request: Request) -> bytes:
    try:
        return from_hex(request.headers.get("authorization", ""))
    except InvalidId:
        return b""
