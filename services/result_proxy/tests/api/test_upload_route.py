"""Uploads by HTTP, over memory."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.health import Health
from workerpool_kit.http.answers import GRPC_STATUS
from workerpool_kit.http.server import HttpServer
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_result_proxy.api.upload_route import upload_routes
from workerpool_result_proxy.app.issue_token import WORKER_ROLE

from services.result_proxy.tests.doubles.keys import MemoryKeys
from services.result_proxy.tests.world import TASK, WORKER, World


class Served:
    """A proxy over memory with one revealed task, and a client that sends what a test likes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.uploads = world.use_case()
        self.tokens = Tokens(
            MemoryKeys(),
            issuer="proxy",
            audience="proxy",
            lifetime_s=60,
            rotate_after_s=60,
            clock=world.clock,
        )
        routes = upload_routes(self.tokens, self.uploads)
        self.server = HttpServer(0, health=Health(), version="1", routes=routes, host="127.0.0.1")

    def header(self, **changes: Any) -> pb.UploadHeader:
        declared = self.world.declaration()
        header = pb.UploadHeader(
            task_id=TASK,
            size=declared.size,
            sha256=to_hex(declared.sha256),
            result_digest=to_hex(declared.result_digest or b""),
        )
        header.MergeFrom(pb.UploadHeader(**changes))
        return header

    async def put(
        self,
        body: bytes | None = None,
        *,
        header: pb.UploadHeader | str | None = None,
        role: str = WORKER_ROLE,
        length: int | None = None,
        path: str = TASK,
        authorization: str | None = None,
    ) -> tuple[int, dict[str, Any], dict[str, str], bool]:
        """Return status, JSON and headers of the answer, and whether the server asked for the body.

        Without a `length` the body is complete; with one the connection ends after the body.
        """
        body = self.world.archive if body is None else body
        if not isinstance(header, str):
            header = base64.b64encode((header or self.header()).SerializeToString()).decode()
        if authorization is None:
            token = await self.tokens.issue(WORKER, frozenset({role}))
            authorization = f"Bearer {token}"
        lines = [
            f"PUT /results/{path} HTTP/1.1",
            "Host: a",
            "Expect: 100-continue",
            f"Authorization: {authorization}",
            f"Workerpool-Upload: {header}",
            f"Content-Length: {len(body) if length is None else length}",
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            async with asyncio.timeout(PATIENCE_S):
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
                asked = (head := await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
                if asked:
                    writer.write(body)
                    await writer.drain()
                    if length is not None:
                        return 0, {}, {}, True
                    head = await reader.readuntil(b"\r\n\r\n")
                status, *fields = head.decode().strip().split("\r\n")
                headers = dict(field.split(": ", 1) for field in fields)
                content = await reader.readexactly(int(headers["content-length"]))
                return int(status.split()[1]), json.loads(content), headers, asked
        finally:
            writer.close()


@pytest.fixture
async def served(world: World) -> AsyncIterator[Served]:
    served = Served(world)
    await served.server.start()
    yield served
    await served.server.stop()


async def test_an_archive_is_stored(served: Served) -> None:
    status, answer, _, asked = await served.put()
    assert (status, asked) == (200, True)
    assert json.loads(answer["result_link"])["location"] == f"/results/{TASK}"
    assert list(served.world.archives.files.values()) == [served.world.archive]


async def test_a_second_one_is_refused_before_its_bytes(served: Served) -> None:
    await served.put()
    status, answer, headers, asked = await served.put()
    assert (status, answer["code"], asked) == (409, "RESULT_ALREADY_EXISTS", False)
    assert headers[GRPC_STATUS.lower()] == "6"


async def test_an_upload_that_broke_continues(served: Served) -> None:
    declared = served.world.declaration()
    whole = len(served.world.archive)
    await served.put(served.world.archive[:50], length=whole)
    async with asyncio.timeout(PATIENCE_S):
        while served.world.temporary_files():
            await asyncio.sleep(0.01)
    # Less than a piece arrived, so nothing of it is kept.
    assert served.uploads.offset(WORKER, declared) == 0
    stream = served.world.stream(declared, served.world.archive[:50], stalls=True)
    with pytest.raises(Exception, match="continue"):
        await served.uploads.upload(WORKER, stream)
    status, answer, _, asked = await served.put(served.world.archive[60:], header=served.header(offset=60))
    assert (status, answer["code"], asked) == (409, "UPLOAD_OFFSET_MISMATCH", False)
    status, *_ = await served.put(served.world.archive[50:], header=served.header(offset=50))
    assert status == 200
    assert list(served.world.archives.files.values()) == [served.world.archive]


async def test_other_bytes_than_the_declared_ones_are_refused(served: Served) -> None:
    status, answer, _, _ = await served.put(bytes(len(served.world.archive)))
    assert (status, answer["code"]) == (400, "RESULT_CHECKSUM_MISMATCH")
    assert served.world.archives.files == {}


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"authorization": ""}, 401, "UNAUTHENTICATED"),
        ({"authorization": "Bearer nonsense"}, 401, "TOKEN_INVALID"),
        ({"role": "requester"}, 403, "PERMISSION_DENIED"),
        ({"header": ""}, 400, "INVALID_ARGUMENT"),
        ({"header": "???"}, 400, "BAD_REQUEST"),
        ({"header": base64.b64encode(b"nonsense").decode()}, 400, "BAD_REQUEST"),
        ({"header": pb.UploadHeader(task_id=TASK, size=1)}, 400, "INVALID_ARGUMENT"),
        ({"path": "0x" + "77" * 32}, 400, "BAD_REQUEST"),
        ({"length": 1}, 400, "BAD_REQUEST"),
    ],
)
async def test_a_request_that_cannot_be_an_upload_sends_no_byte(
    served: Served, request_: dict[str, Any], status: int, code: str
) -> None:
    answered, answer, _, asked = await served.put(**request_)
    assert (answered, answer["code"], asked) == (status, code, False)
