"""Client of result proxies: a token for a signed authorization by gRPC, then the archive by HTTP.

Archives that one message holds go by gRPC: the connection is open, while HTTP takes a new one and asks before it sends.
Proxies of release 0.1.0, and those whose HTTP port takes no archives, get all of them by gRPC in chunks.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from workerpool_kit.grpc.call_status import answer_of
from workerpool_kit.grpc.client import error_reason, open_service
from workerpool_kit.logs import get_logger
from workerpool_kit.reasons import (
    CONTRIBUTION_NOT_REVEALED,
    GET_CHAIN_DEAL_FAILED,
    GET_CHAIN_TASK_FAILED,
    NO_AUTHORIZATION_FOR_TASK,
    RESULT_CHECKSUM_MISMATCH,
    RESULT_SIZE_MISMATCH,
    TOO_MANY_UPLOADS,
    UPLOAD_OFFSET_MISMATCH,
)
from workerpool_kit.runtime.tasks import end_tasks, start_task
from workerpool_kit.tls.cleartext import CleartextRefused, check_cleartext
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    audience_of,
    bound_authorization_hash,
)
from workerpool_poco.protocol.ids import TaskId, bytes32, to_hex
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import ResultServiceStub

from workerpool_worker.adapters.core.messages import authorization_message
from workerpool_worker.adapters.files.archive import ArchiveHashes
from workerpool_worker.adapters.results.http_upload import (
    HttpBroken,
    HttpRefused,
    HttpUnusable,
    upload_by_http,
)
from workerpool_worker.adapters.results.proxy_rules import ProxyRules
from workerpool_worker.errors import UploadRefused, UploadUnavailable

log = get_logger()

CHUNK_BYTES = 1 << 20
"""As much as the contract allows: fewer messages cost less processor time on both sides."""
MAX_CONNECTIONS = 8
MAX_LINK_CHARACTERS = 4_096
"""Longest result link in the scheduler's contract."""
_CALL_LIMIT_S = 20.0
_RULES_LIMIT_S = 5.0
_MIN_SPEED_BYTES_PER_S = 64 << 10
_MAX_EARLY_TOKENS = 256
_MAX_HTTP_BREAKS = 2
"""Where a reverse proxy breaks uploads by HTTP, gRPC gets through or tells the reason."""
_GRPC_ONLY_S = 600.0
"""Time after which HTTP is tried again."""
_TRANSIENT = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)
_TRANSIENT_REASONS = frozenset(
    {
        TOO_MANY_UPLOADS,
        NO_AUTHORIZATION_FOR_TASK,
        CONTRIBUTION_NOT_REVEALED,
        GET_CHAIN_TASK_FAILED,
        GET_CHAIN_DEAL_FAILED,
        RESULT_SIZE_MISMATCH,
        RESULT_CHECKSUM_MISMATCH,
    }
)
"""The proxy is at its limit, its node is behind the worker's node, the bytes were damaged on their way, or its database
was restored from a copy that is older than the token."""


@dataclass(slots=True)
class _Connection:
    channel: grpc.aio.Channel
    users: int = 0
    http_breaks: int = 0
    """Uploads by HTTP, one after the other, whose connection broke."""
    http_from: float = 0.0
    """Time of `time.monotonic` from which uploads go by HTTP."""

    def avoid_http(self) -> None:
        self.http_breaks, self.http_from = 0, time.monotonic() + _GRPC_ONLY_S

    @property
    def stub(self) -> Any:
        return ResultServiceStub(self.channel)


class GrpcResultStore:
    """Implements the `ResultStore` port for any number of proxies."""

    def __init__(
        self, sign_message_hash: Callable[[bytes], bytes], *, http_min_bytes: int = CHUNK_BYTES + 1
    ) -> None:
        """Create it without connections.

        `sign_message_hash` signs with the worker's wallet (EIP-191). Archives of `http_min_bytes` or more go by HTTP.
        """
        self._sign = sign_message_hash
        self._http_min_bytes = http_min_bytes
        self._connections: dict[str, _Connection] = {}
        self._rules = ProxyRules()
        self._hashes = ArchiveHashes()
        self._early_tokens: dict[tuple[str, TaskId], asyncio.Task[pb.IssueTokenResponse | None]] = {}
        """The calls of `prepare` for tokens, oldest first, by proxy and task."""
        self._broken: set[str] = set()
        """The tasks whose last upload broke: the proxy may have a part of their archives."""

    async def archive_rules(self, proxy_url: str) -> ArchiveRules:
        """Return the limits of a proxy, from memory for five minutes; the last known ones, or the defaults, if it is
        away.
        """

        async def ask() -> pb.GetArchiveRulesResponse:
            async with self._connected(proxy_url) as connection:
                answer: pb.GetArchiveRulesResponse = await connection.stub.GetArchiveRules(
                    pb.GetArchiveRulesRequest(), timeout=_RULES_LIMIT_S
                )
                return answer

        return await self._rules.of(proxy_url, ask, (grpc.aio.AioRpcError, ValueError))

    async def close(self) -> None:
        """Close all connections."""
        await end_tasks(*self._early_tokens.values())
        for connection in self._connections.values():
            await connection.channel.close(None)
        self._connections.clear()

    async def prepare(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, *, is_only_worker: bool
    ) -> None:
        """Hash an archive ahead of its upload, and get a token for the only worker; see `ResultStore`."""
        if is_only_worker:
            key = proxy_url, authorization.task_id
            self._early_tokens[key] = start_task(
                self._ask_early(proxy_url, authorization), name="early-token"
            )
            while len(self._early_tokens) > _MAX_EARLY_TOKENS:
                # The task ended without an upload.
                self._early_tokens.pop(next(iter(self._early_tokens))).cancel()
        with suppress(OSError):
            await self._hashes.of(archive)

    async def upload(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, result_digest: str
    ) -> str:
        """Upload an archive and return the result link. The upload is idempotent: a stored result counts as uploaded.

        Raises `UploadRefused` if a retry does not help, `UploadUnavailable` if it may.
        """
        try:
            async with self._connected(proxy_url) as connection:
                link = await self._upload(connection, proxy_url, authorization, archive, result_digest)
        except grpc.aio.AioRpcError as error:
            reason = error_reason(error)
            text = f"{reason or error.code().name}: {error.details()}"
            raise _failure(error.code(), reason, text) from error
        except HttpRefused as refused:
            raise _failure(refused.code, refused.reason, str(refused)) from refused
        except (ValueError, OSError) as problem:
            raise UploadRefused(str(problem)) from problem
        if not 0 < len(link) <= MAX_LINK_CHARACTERS:
            raise UploadRefused(f"the result proxy answered with a link of {len(link)} characters")
        return link

    async def _upload(
        self,
        connection: _Connection,
        proxy_url: str,
        authorization: WorkerpoolAuthorization,
        archive: Path,
        result_digest: str,
    ) -> str:
        stub = connection.stub
        issued = await self._early_token(proxy_url, authorization.task_id)
        issued = issued or await self._token(stub, proxy_url, authorization)
        sha256, size = await self._hashes.of(archive)
        header = pb.UploadHeader(
            task_id=authorization.task_id, size=size, sha256=sha256, result_digest=result_digest
        )
        task_id, metadata = authorization.task_id, (("authorization", f"Bearer {issued.token}"),)
        if task_id in self._broken:
            header.offset = await _offset(stub, header, metadata)
        self._broken.add(task_id)
        limit_s = _CALL_LIMIT_S + size / _MIN_SPEED_BYTES_PER_S
        try:
            link = None
            is_large = size >= self._http_min_bytes and header.offset < size
            if is_large and issued.http_upload and time.monotonic() >= connection.http_from:
                link = await _by_http(connection, proxy_url, issued.token, header, archive, limit_s)
            if link is None:
                link = await _by_grpc(stub, header, archive, metadata, limit_s)
        except (grpc.aio.AioRpcError, HttpRefused) as error:
            code = error.code if isinstance(error, HttpRefused) else error.code()
            if code not in _TRANSIENT:
                self._broken.discard(task_id)
            if code is not grpc.StatusCode.ALREADY_EXISTS:
                raise
            return await self._stored_link(stub, header)
        self._broken.discard(task_id)
        log.info("result.uploaded", task=header.task_id, bytes=size, link=link)
        return link

    async def _early_token(self, proxy_url: str, task_id: TaskId) -> pb.IssueTokenResponse | None:
        """Return the token that `prepare` asked for; None without one. A second attempt gets a new one."""
        asking = self._early_tokens.pop((proxy_url, task_id), None)
        issued = await asking if asking is not None else None
        return issued if issued and issued.expires_at.seconds > time.time() + _CALL_LIMIT_S else None

    async def _ask_early(
        self, proxy_url: str, authorization: WorkerpoolAuthorization
    ) -> pb.IssueTokenResponse | None:
        """Return a token; None if the proxy issues none now. The upload then retries, and handles the failure."""
        try:
            async with self._connected(proxy_url) as connection:
                return await self._token(connection.stub, proxy_url, authorization)
        except (grpc.aio.AioRpcError, UploadUnavailable, ValueError, OSError) as problem:
            log.info("token.not_issued", task=authorization.task_id, proxy=proxy_url, error=repr(problem))
            return None

    async def _token(
        self, stub: Any, proxy_url: str, authorization: WorkerpoolAuthorization
    ) -> pb.IssueTokenResponse:
        """Return a token for a signature that only this proxy accepts.

        Raises `UploadUnavailable` if the proxy names another audience: a signature for it would open that other
        service, and its operator may correct the setting.
        """
        audience = audience_of(proxy_url)
        try:
            check_cleartext(audience, "the token for the result proxy")
        except CleartextRefused as refused:
            # The archive waits until an operator allows it or gives the proxy TLS.
            raise UploadUnavailable(str(refused)) from refused
        challenge: pb.CreateChallengeResponse = await stub.CreateChallenge(
            pb.CreateChallengeRequest(task_id=authorization.task_id, wallet_address=authorization.worker),
            timeout=_CALL_LIMIT_S,
        )
        if challenge.audience != audience:
            raise UploadUnavailable(
                f"the result proxy at {audience} calls itself {challenge.audience[:200]!r}, so nothing is signed for "
                "it; the pool must set IEXEC_RESULT_PROXY_PUBLIC_URL and IEXEC_RESULT_REPOSITORY_URL alike"
            )
        signed = bound_authorization_hash(authorization, audience, bytes32(challenge.nonce))
        request = pb.IssueTokenRequest(
            authorization=authorization_message(authorization),
            worker_signature=to_hex(self._sign(signed)),
            audience=audience,
            nonce=challenge.nonce,
        )
        answer: pb.IssueTokenResponse = await stub.IssueToken(request, timeout=_CALL_LIMIT_S)
        return answer

    async def _stored_link(self, stub: Any, header: pb.UploadHeader) -> str:
        """Return the link of the stored result. Raises `UploadRefused` if its digest differs."""
        answer: pb.GetResultResponse = await stub.GetResult(
            pb.GetResultRequest(task_id=header.task_id), timeout=_CALL_LIMIT_S
        )
        if answer.result.result_digest.lower() != header.result_digest:
            raise UploadRefused("the result proxy holds another result of this task")
        log.info("result.already_stored", task=header.task_id, uploader=answer.result.uploader)
        return answer.result.result_link

    @asynccontextmanager
    async def _connected(self, proxy_url: str) -> AsyncIterator[_Connection]:
        """Use the connection to a proxy. Requesters choose the proxies, so only the newest connections stay open."""
        connection = self._connections.pop(proxy_url, None) or _Connection(open_service(proxy_url))
        self._connections[proxy_url] = connection
        connection.users += 1
        try:
            yield connection
        finally:
            connection.users -= 1
            unused = [name for name, each in self._connections.items() if not each.users]
            for name in unused[: max(len(self._connections) - MAX_CONNECTIONS, 0)]:
                await self._connections.pop(name).channel.close(None)


def _failure(code: grpc.StatusCode, reason: str | None, text: str) -> UploadRefused | UploadUnavailable:
    if code in _TRANSIENT or reason in _TRANSIENT_REASONS:
        return UploadUnavailable(text)
    return UploadRefused(f"the result proxy refused the result: {text}", reason=reason)


async def _by_http(
    connection: _Connection,
    proxy_url: str,
    token: str,
    header: pb.UploadHeader,
    archive: Path,
    limit_s: float,
) -> str | None:
    """Return the result link; None when gRPC must carry this upload.

    That is when no upload by HTTP reaches the proxy, which is tried again ten minutes later, and when HTTP reaches
    another process of several than the one that told the offset.
    """
    try:
        link = await upload_by_http(proxy_url, token, header, archive, limit_s=limit_s)
    except HttpUnusable as unusable:
        connection.avoid_http()
        log.warning("result.http_upload_failed", proxy=proxy_url, error=str(unusable), instead="gRPC")
        return None
    except HttpBroken:
        connection.http_breaks += 1
        if connection.http_breaks >= _MAX_HTTP_BREAKS:
            connection.avoid_http()
        raise
    except HttpRefused as refused:
        if refused.reason == UPLOAD_OFFSET_MISMATCH:
            return None
        raise
    connection.http_breaks = 0
    return link


async def _by_grpc(stub: Any, header: pb.UploadHeader, archive: Path, metadata: Any, limit_s: float) -> str:
    answer: pb.UploadResponse = await answer_of(
        stub.Upload(_messages(header, archive), timeout=limit_s, metadata=metadata)
    )
    return answer.result_link


async def _offset(stub: Any, header: pb.UploadHeader, metadata: Any) -> int:
    """Return where a broken upload continues; 0 at a proxy that keeps nothing or does not know the call."""
    try:
        answer: pb.GetUploadResponse = await stub.GetUpload(
            pb.GetUploadRequest(header=header), timeout=_CALL_LIMIT_S, metadata=metadata
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
            raise
        return 0
    log.info("result.upload_continued", task=header.task_id, offset=answer.offset, bytes=header.size)
    return answer.offset


async def _messages(header: pb.UploadHeader, archive: Path) -> AsyncIterator[pb.UploadRequest]:
    yield pb.UploadRequest(header=header)
    if header.offset == header.size:
        # All bytes arrived before the connection broke, and a chunk has at least one.
        return
    with archive.open("rb") as file:
        file.seek(header.offset)
        if header.size - header.offset <= CHUNK_BYTES:
            # Written a moment ago, so that it is read sooner than a thread would begin.
            yield pb.UploadRequest(chunk=file.read())
            return
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield pb.UploadRequest(chunk=chunk)
