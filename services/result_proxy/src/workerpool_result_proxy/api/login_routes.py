"""The login of requesters' tools by HTTP, in the form of the published result proxy."""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from workerpool_kit.http.bodies import read_body
from workerpool_poco.protocol.ids import Address, address, bytes32, from_hex

from workerpool_result_proxy.app.login import Login
from workerpool_result_proxy.errors import BadHttpRequest

_MAX_LOGIN_BYTES = 4 << 10
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_LOGIN = re.compile("(0x[0-9a-fA-F]{64})_(0x[0-9a-fA-F]{130})_(0x[0-9a-fA-F]{40})")


def login_routes(login: Login) -> list[Route]:
    """Return `GET /results/challenge` and `POST /results/login`; they precede `/results/{taskId}`."""

    async def challenge(request: Request) -> Response:
        login.check_chain(request.query_params.get("chainId", ""))
        made = await login.challenge(_requester(request.query_params.get("address", "")))
        return JSONResponse({"ok": True, "data": made.to_json()})

    async def sign_in(request: Request) -> Response:
        login.check_chain(request.query_params.get("chainId", ""))
        body = (await read_body(request, _MAX_LOGIN_BYTES)).decode("ascii", "replace").strip().strip('"')
        given = _LOGIN.fullmatch(body)
        if given is None:
            raise BadHttpRequest(
                "the body must be <hash>_<signature>_<address>, each 0x-prefixed hexadecimal; correct it"
            )
        token = await login.token(address(given[3]), bytes32(given[1].lower()), from_hex(given[2].lower()))
        return PlainTextResponse(token)

    return [
        Route("/results/challenge", challenge, methods=["GET"]),
        Route("/results/login", sign_in, methods=["POST"]),
    ]


def _requester(text: str) -> Address:
    if not _ADDRESS.fullmatch(text):
        raise BadHttpRequest("the query lacks ?address=<the wallet's address>; add it")
    return address(text)
