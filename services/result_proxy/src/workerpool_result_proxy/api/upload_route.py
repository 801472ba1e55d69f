"""Uploads by HTTP: the bytes of an archive as the body of one PUT, which costs half of what messages of gRPC cost."""

import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import aclosing

from google.protobuf.message import DecodeError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.errors import PermissionDenied, Unauthenticated
from workerpool_kit.grpc.validation import validate
from workerpool_kit.http.large_bodies import body_length, body_pieces
from workerpool_poco.protocol.ids import address
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

from workerpool_result_proxy.api.declarations import declaration_of
from workerpool_result_proxy.app.issue_token import WORKER_ROLE
from workerpool_result_proxy.app.upload import UploadResult
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import BadHttpRequest

UPLOAD_HEADER = "workerpool-upload"
"""The header of the upload: a `workerpool.result_proxy.v1.UploadHeader` in Base64."""
_MAX_HEADER_CHARACTERS = 4_096


def upload_routes(tokens: Tokens, uploads: UploadResult) -> list[Route]:
    """Return `PUT /results/{taskId}`, which workers use when the answer to `IssueToken` offers it."""

    async def put(request: Request) -> Response:
        authorization = request.headers.get("authorization", "").strip()
        if not authorization:
            raise Unauthenticated("the header Authorization lacks a token; get one with IssueToken")
        caller = await tokens.verify(authorization.removeprefix("Bearer ").strip())
        if WORKER_ROLE not in caller.roles:
            raise PermissionDenied("uploads need the token of a worker; get one with IssueToken")
        declared = _declared(request)
        async with aclosing(_messages(request, declared)) as messages:
            stored = await uploads.upload(address(caller.subject), messages)
        return JSONResponse({"result_link": stored.result_link})

    return [Route("/results/{task_id}", put, methods=["PUT"])]


def _declared(request: Request) -> Declaration:
    """Return what the request declares. Raises BadHttpRequest, InvalidMessage and LengthRequired."""
    text = request.headers.get(UPLOAD_HEADER, "")[:_MAX_HEADER_CHARACTERS]
    try:
        header = pb.UploadHeader.FromString(base64.b64decode(text, validate=True))
    except (binascii.Error, DecodeError, ValueError):
        raise BadHttpRequest(f"the header {UPLOAD_HEADER} is not an UploadHeader in Base64") from None
    validate(header)
    if header.task_id != request.path_params["task_id"]:
        raise BadHttpRequest(f"the header {UPLOAD_HEADER} names another task than the path")
    length = body_length(request)
    if length != header.size - header.offset:
        raise BadHttpRequest(
            f"the body has {length} bytes, but from byte {header.offset} an archive of {header.size} bytes has "
            f"{header.size - header.offset}; send these"
        )
    return declaration_of(header)


async def _messages(request: Request, declared: Declaration) -> AsyncGenerator[Declaration | bytes]:
    yield declared
    async with aclosing(body_pieces(request)) as pieces:
        async for piece in pieces:
            yield piece
