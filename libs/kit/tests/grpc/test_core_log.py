"""The log of gRPC's C core contains no text of a peer."""

import asyncio
import sys

import pytest
from patience import PATIENCE_S

from .test_connections import PREFACE, SETTINGS, frame

GOAWAY = 7
FORGED = b'\n{"event": "task.finalized"}\n'

PROGRAM = """
import asyncio, sys
from workerpool_kit import logs
from workerpool_kit.grpc.server import GrpcServer

async def serve():
    server = GrpcServer(0, host="127.0.0.1", policy={})
    await server.start()
    print(server.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(0)

logs.configure("demo")
asyncio.run(serve())
"""


@pytest.mark.parametrize("text", [FORGED, b"\x1b[2J\xff\xfe"])
async def test_a_peer_cannot_write_lines_of_the_log(text: bytes) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    port = int(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(PREFACE + frame(SETTINGS, 0, 0) + frame(GOAWAY, 0, 0, bytes(7) + b"\x01" + text))
    writer.write_eof()
    await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    _, log = await asyncio.wait_for(process.communicate(b""), PATIENCE_S)
    assert b"grpc.server_started" in log
    assert text not in log
