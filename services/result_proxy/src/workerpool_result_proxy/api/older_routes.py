"""The HTTP endpoints of older clients: tokens, uploads in one JSON body, and lookups (worker spec C)."""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from workerpool_kit.access.authenticators import Identity
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.errors import PermissionDenied, Unauthenticated
from workerpool_kit.http.bodies import read_body
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId, address, from_hex, parse_deal_id, parse_task_id
from workerpool_poco.protocol.result_link import ResultLink

from workerpool_result_proxy.app.issue_token import WORKER_ROLE, IssueToken
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.app.upload import UploadResult
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import BadHttpRequest, ResultNotFound

MAX_JSON_ARCHIVE_BYTES = 16 << 20
"""Largest archive in a JSON body, which is held in memory; the same limit as in the first result proxies."""
_MAX_UPLOAD_BODY_BYTES = MAX_JSON_ARCHIVE_BYTES * 4 // 3 + (64 << 10)
_MAX_TOKEN_BODY_BYTES = 16 << 10
_UPLOADS_AT_ONCE = 2
_PIECE_BYTES = 1 << 20
_NO_ID = bytes(32)


def older_routes(
    tokens: Tokens, issue: IssueToken, uploads: UploadResult, results: ReadResult
) -> list[Route]:
    """Return the routes below `/v1/results`, and `/results/{taskId}/ipfshash`."""
    handlers = _Handlers(tokens, issue, uploads, results)
    return [
        Route("/v1/results/token", handlers.token, methods=["POST"]),
        Route("/v1/results", handlers.upload, methods=["POST"]),
        Route("/v1/results/{task_id}", handlers.exists, methods=["HEAD"]),
        Route("/v1/results/{task_id}/ipfshash", handlers.ipfs_hash, methods=["GET"]),
        Route("/results/{task_id}/ipfshash", handlers.ipfs_hash, methods=["GET"]),
    ]


class _Handlers:
    def __init__(self, tokens: Tokens, issue: IssueToken, uploads: UploadResult, results: ReadResult) -> None:
        self._tokens = tokens
        self._issue = issue
        self._uploads = uploads
        self._results = results
        self._large_bodies = asyncio.Semaphore(_UPLOADS_AT_ONCE)

    async def token(self, request: Request) -> Response:
        """Return a token for the worker's signature over the hash of its authorization."""
        signature = _hex(request.headers.get("authorization", ""), "the header Authorization")
        body = await read_body(request, _MAX_TOKEN_BODY_BYTES)
        authorization = _authorization(_json_object(body, _MAX_TOKEN_BODY_BYTES))
        token, _ = await self._issue.issue_to_older_client(authorization, signature)
        return PlainTextResponse(token)

    async def upload(self, request: Request) -> Response:
        """Store the archive in a ResultModel; return its location."""
        caller = await self._caller(request)
        if WORKER_ROLE not in caller.roles:
            raise PermissionDenied("uploads need the token of a worker; get one from POST /v1/results/token")
        async with self._large_bodies:
            model = _json_object(await read_body(request, _MAX_UPLOAD_BODY_BYTES), _MAX_UPLOAD_BODY_BYTES)
            task_id, archive = _task_id(model.get("chainTaskId")), _archive(model.get("zip"))
            del model
            declared = Declaration(task_id, len(archive), hashlib.sha256(archive).digest(), None)
            stored = await self._uploads.upload(address(caller.subject), _messages(declared, archive))
        return PlainTextResponse(ResultLink.decode(stored.result_link).location)

    async def exists(self, request: Request) -> Response:
        """Answer 204 when the result of the task is stored, 404 otherwise."""
        await self._caller(request)
        await self._results.describe(_task_id(request.path_params["task_id"]))
        return Response(status_code=204)

    async def ipfs_hash(self, request: Request) -> Response:
        """Return the content id of a result that is stored in IPFS."""
        found = await self._results.describe(_task_id(request.path_params["task_id"]))
        location = ResultLink.decode(found.result_link).location
        if not location.startswith("/ipfs/"):
            raise ResultNotFound(f"the result of this task is not in IPFS; download it from {location}")
        return PlainTextResponse(location.removeprefix("/ipfs/"))

    async def _caller(self, request: Request) -> Identity:
        given = request.headers.get("authorization", "").strip()
        if not given:
            raise Unauthenticated(
                "the header Authorization lacks a token; get one from POST /v1/results/token"
            )
        return await self._tokens.verify(given.removeprefix("Bearer ").strip())


def _json_object(body: bytes, max_bytes: int) -> dict[str, Any]:
    try:
        content = loads_bounded(body, max_bytes=max_bytes)
    except ValueError as problem:
        raise BadHttpRequest(f"the body is not readable JSON: {problem}") from None
    if not isinstance(content, dict):
        raise BadHttpRequest("the body must be a JSON object")
    return content


def _authorization(given: dict[str, Any]) -> WorkerpoolAuthorization:
    signature = given.get("signature")
    if isinstance(signature, dict):
        signature = signature.get("value")
    index = given.get("taskIndex") or 0
    if not isinstance(index, int) or not 0 <= index < 1 << 63:
        raise BadHttpRequest("taskIndex must be a number from 0")
    try:
        return WorkerpoolAuthorization(
            worker=address(_text(given, "workerWallet") or ZERO_ADDRESS),
            task_id=parse_task_id(_text(given, "chainTaskId") or _NO_ID),
            enclave_challenge=address(_text(given, "enclaveChallenge") or ZERO_ADDRESS),
            # Clients before version 9 do not send the deal; the chain names it.
            deal_id=parse_deal_id(_text(given, "dealId") or _NO_ID),
            task_index=index,
            signature=_hex(signature or "", "signature"),
        )
    except InvalidId as problem:
        raise BadHttpRequest(str(problem)) from None


def _text(given: dict[str, Any], key: str) -> str:
    value = given.get(key) or ""
    if not isinstance(value, str):
        raise BadHttpRequest(f"{key} must be text")
    return value


def _hex(value: object, what: str) -> bytes:
    if not isinstance(value, str) or len(value) > 1024:
        raise BadHttpRequest(f"{what} must be a short hexadecimal text")
    try:
        return from_hex(value)
    except InvalidId:
        # Do not quote the value, which may be a misplaced password or token.
        raise BadHttpRequest(f"{what} is not hexadecimal; send it as 0x…") from None


def _task_id(value: object) -> TaskId:
    try:
        return parse_task_id(value if isinstance(value, str) else "")
    except InvalidId as problem:
        raise ResultNotFound(f"this is not a task id: {problem}; correct it") from None


def _archive(value: object) -> bytes:
    try:
        archive = base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except (binascii.Error, ValueError):
        raise BadHttpRequest("zip must be the archive in base64") from None
    if not archive:
        raise BadHttpRequest("zip is empty; send the archive in base64")
    return archive


async def _messages(declared: Declaration, archive: bytes) -> AsyncIterator[Declaration | bytes]:
    yield declared
    for piece in _pieces(archive):
        yield piece


def _pieces(archive: bytes) -> Iterator[bytes]:
    for start in range(0, len(archive), _PIECE_BYTES):
        yield archive[start : start + _PIECE_BYTES]
