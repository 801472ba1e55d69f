"""A config server and a result proxy, as far as a worker needs them."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import grpc
from aiohttp import web
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_kit.grpc.health import HealthServicer
from workerpool_kit.http.answers import GRPC_STATUS
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES
from workerpool_protocol.registry.v1 import config_service_pb2, config_service_pb2_grpc
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc

NONCE = "0x" + "2a" * 32


class ConfigPeer(config_service_pb2_grpc.ConfigServiceServicer):
    """A config server with one chain."""

    def __init__(self, chain: config_service_pb2.ChainConfig) -> None:
        self.chain = chain

    async def GetChain(self, request: Any, context: Any) -> config_service_pb2.GetChainResponse:
        return config_service_pb2.GetChainResponse(chain=self.chain)


def serving(service: str) -> HealthServicer:
    """Return the standard health service of a server that serves `service`."""
    health = HealthServicer()
    health.set(service, True)
    return health


class ResultPeer(result_service_pb2_grpc.ResultServiceServicer):
    """A result proxy that keeps archives in memory. `failures` are the errors of the next uploads.

    `audience` is its own name; `tokens` are the requests for tokens, which last `token_s` seconds. It `takes_http`
    inside of `http_port`; `puts` are
    the headers of these uploads, and their failures have the `reason`.
    """

    audience = ""
    token_s = 86_400
    takes_http = False
    reason = ""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}
        self.headers: dict[str, result_service_pb2.UploadHeader] = {}
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.tokens: list[result_service_pb2.IssueTokenRequest] = []
        self.puts: list[result_service_pb2.UploadHeader] = []
        self.rules = result_service_pb2.ArchiveRules(**asdict(DEFAULT_RULES))

    async def GetArchiveRules(self, request: Any, context: Any) -> result_service_pb2.GetArchiveRulesResponse:
        return result_service_pb2.GetArchiveRulesResponse(rules=self.rules)

    async def CreateChallenge(self, request: Any, context: Any) -> result_service_pb2.CreateChallengeResponse:
        return result_service_pb2.CreateChallengeResponse(audience=self.audience, nonce=NONCE)

    async def IssueToken(self, request: Any, context: Any) -> result_service_pb2.IssueTokenResponse:
        self.tokens.append(request)
        return result_service_pb2.IssueTokenResponse(
            token=request.authorization.worker_wallet,
            expires_at=Timestamp(seconds=int(time.time()) + self.token_s),
            http_upload=self.takes_http,
        )

    async def GetUpload(self, request: Any, context: Any) -> result_service_pb2.GetUploadResponse:
        """Keep nothing of broken uploads."""
        return result_service_pb2.GetUploadResponse()

    async def Upload(self, request_iterator: Any, context: Any) -> result_service_pb2.UploadResponse:
        if self.failures:
            code, text = self.failures.pop(0)
            await context.abort(code, text)
        header, content = result_service_pb2.UploadHeader(), b""
        async for message in request_iterator:
            if message.WhichOneof("part") == "header":
                header = message.header
            else:
                content += message.chunk
        if header.task_id in self.archives:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "stored already")
        self.archives[header.task_id], self.headers[header.task_id] = content, header
        return result_service_pb2.UploadResponse(result_link=link_of(header.task_id))

    async def put(self, request: web.Request) -> web.Response:
        """Take an archive by HTTP."""
        header = result_service_pb2.UploadHeader.FromString(
            base64.b64decode(request.headers["Workerpool-Upload"])
        )
        self.puts.append(header)
        if self.failures:
            code, text = self.failures.pop(0)
            return _refused(code, text, self.reason)
        if header.task_id in self.archives:
            return _refused(grpc.StatusCode.ALREADY_EXISTS, "stored already")
        self.archives[header.task_id], self.headers[header.task_id] = await request.read(), header
        return web.json_response({"result_link": link_of(header.task_id)})

    @asynccontextmanager
    async def http_port(self, port: int, **options: Any) -> AsyncIterator[None]:
        """Serve the HTTP port, and offer it; `options` are those of `TCPSite`."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_put("/results/{task}", self.put)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, **options).start()
        self.takes_http = True
        try:
            yield
        finally:
            await runner.cleanup()

    def Download(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def GetResult(self, request: Any, context: Any) -> result_service_pb2.GetResultResponse:
        header = self.headers[request.task_id]
        return result_service_pb2.GetResultResponse(
            result=result_service_pb2.Result(
                task_id=header.task_id,
                result_digest=header.result_digest,
                result_link=link_of(header.task_id),
            )
        )


def _refused(code: grpc.StatusCode, text: str, reason: str = "") -> web.Response:
    body = {"error": f"{code.name}: {text}", "code": reason or code.name}
    return web.json_response(body, status=409, headers={GRPC_STATUS: str(code.value[0])})


def link_of(task_id: str) -> str:
    """Return the link of a task's result."""
    return json.dumps({"storage": "ipfs", "location": f"/results/{task_id}"})
