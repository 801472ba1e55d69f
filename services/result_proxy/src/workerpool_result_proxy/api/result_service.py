"""gRPC `workerpool.result_proxy.v1.ResultService`."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any, TypeAlias

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_kit.access.authenticators import ANYONE, current_identity
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import (
    TaskId,
    address,
    bytes32,
    from_hex,
    parse_deal_id,
    parse_task_id,
    to_hex,
)
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc as pb_grpc

from workerpool_result_proxy import metrics
from workerpool_result_proxy.api.declarations import declaration_of
from workerpool_result_proxy.app.challenge import Challenges
from workerpool_result_proxy.app.issue_token import WORKER_ROLE, IssueToken
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.app.upload import UploadResult
from workerpool_result_proxy.domain.results import Declaration, StoredResult

SERVICE = "workerpool.result_proxy.v1.ResultService"
POLICY = {
    f"/{SERVICE}/GetArchiveRules": frozenset({ANYONE}),
    f"/{SERVICE}/CreateChallenge": frozenset({ANYONE}),
    f"/{SERVICE}/IssueToken": frozenset({ANYONE}),
    f"/{SERVICE}/GetUpload": frozenset({WORKER_ROLE}),
    f"/{SERVICE}/Upload": frozenset({WORKER_ROLE}),
    f"/{SERVICE}/GetResult": frozenset({ANYONE}),
    f"/{SERVICE}/Download": frozenset({ANYONE}),
}

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ResultServicer(pb_grpc.ResultServiceServicer):
    """The service that result_service.proto documents."""

    def __init__(
        self,
        rules: ArchiveRules,
        challenges: Challenges,
        tokens: IssueToken,
        uploads: UploadResult,
        results: ReadResult,
    ) -> None:
        self._rules = rules
        self._challenges = challenges
        self._tokens = tokens
        self._uploads = uploads
        self._results = results

    async def GetArchiveRules(
        self, request: pb.GetArchiveRulesRequest, context: Context
    ) -> pb.GetArchiveRulesResponse:
        """Return the rules of archives."""
        return pb.GetArchiveRulesResponse(rules=pb.ArchiveRules(**asdict(self._rules)))

    async def CreateChallenge(
        self, request: pb.CreateChallengeRequest, context: Context
    ) -> pb.CreateChallengeResponse:
        """Return the challenge that a worker signs."""
        made = await self._challenges.create(address(request.wallet_address), parse_task_id(request.task_id))
        return pb.CreateChallengeResponse(
            audience=made.audience, nonce=to_hex(made.nonce), expires_at=Timestamp(seconds=made.expires_at)
        )

    async def IssueToken(self, request: pb.IssueTokenRequest, context: Context) -> pb.IssueTokenResponse:
        """Issue a token for an authorization; a worker of release 0.1.0 sends no challenge."""
        authorization, signature = _authorization(request), from_hex(request.worker_signature)
        if request.audience or request.nonce:
            # No challenge has a nonce of zeros.
            nonce = bytes32(request.nonce) if request.nonce else bytes(32)
            token, expires = await self._tokens.issue(
                authorization, signature, audience=request.audience, nonce=nonce
            )
        else:
            token, expires = await self._tokens.issue_to_older_client(authorization, signature)
        return pb.IssueTokenResponse(token=token, expires_at=Timestamp(seconds=expires), http_upload=True)

    async def GetUpload(self, request: pb.GetUploadRequest, context: Context) -> pb.GetUploadResponse:
        """Return the offset at which an upload continues."""
        wallet = address(current_identity().subject)
        return pb.GetUploadResponse(offset=self._uploads.offset(wallet, declaration_of(request.header)))

    async def Upload(
        self, request_iterator: AsyncIterator[pb.UploadRequest], context: Context
    ) -> pb.UploadResponse:
        """Receive an archive."""
        wallet = address(current_identity().subject)
        stored = await self._uploads.upload(wallet, _messages(request_iterator))
        return pb.UploadResponse(result_link=stored.result_link)

    async def GetResult(self, request: pb.GetResultRequest, context: Context) -> pb.GetResultResponse:
        """Describe a stored archive."""
        return pb.GetResultResponse(result=_result(await self._results.describe(TaskId(request.task_id))))

    async def Download(
        self, request: pb.DownloadRequest, context: Context
    ) -> AsyncIterator[pb.DownloadResponse]:
        """Stream an archive from an offset."""
        found = await self._results.describe(TaskId(request.task_id))
        content = self._results.content(found, first=request.offset)
        yield pb.DownloadResponse(header=_result(found))
        async for chunk in content:
            metrics.SERVED_BYTES.inc(len(chunk))
            yield pb.DownloadResponse(chunk=chunk)


def _authorization(request: pb.IssueTokenRequest) -> WorkerpoolAuthorization:
    given = request.authorization
    return WorkerpoolAuthorization(
        worker=address(given.worker_wallet),
        task_id=parse_task_id(given.task_id),
        enclave_challenge=address(given.enclave_challenge),
        deal_id=parse_deal_id(given.deal_id),
        task_index=given.task_index,
        signature=from_hex(given.signature),
    )


async def _messages(requests: AsyncIterator[pb.UploadRequest]) -> AsyncIterator[Declaration | bytes]:
    async for request in requests:
        if request.WhichOneof("part") == "chunk":
            yield request.chunk
        else:
            yield declaration_of(request.header)


def _result(stored: StoredResult) -> pb.Result:
    stored_at = Timestamp()
    stored_at.FromDatetime(stored.stored_at)
    return pb.Result(
        task_id=stored.task_id,
        size=stored.size,
        sha256=to_hex(stored.sha256),
        result_digest=to_hex(stored.result_digest),
        result_link=stored.result_link,
        uploader=stored.uploader,
        stored_at=stored_at,
    )
