"""Malformed bytes at the two ports of the scheduler change nothing and cause no unexpected error."""

import asyncio
import random

import http_calls
import pytest
from contract.access_table import TASK, WALLET
from contract.pool import Pool
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

ROUNDS, AT_ONCE = 20, 25
SOAK_SEEDS = range(3, 103)
HEAD = b"Host: core\r\nConnection: close\r\n\r\n"
HTTP = [
    f"GET /tasks/{TASK} HTTP/1.1\r\n".encode() + HEAD,
    f"GET /tasks/{TASK}/replicates/{WALLET} HTTP/1.1\r\n".encode() + HEAD,
    f"GET /tasks/logs/challenge?address={WALLET} HTTP/1.1\r\n".encode() + HEAD,
    f"GET /tasks/{TASK}/logs HTTP/1.1\r\nAuthorization: 0x_0x_{WALLET}\r\n".encode() + HEAD,
    b"POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HEAD + b"5\r\nhello\r\n0\r\n\r\n",
]
GRPC = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + bytes(40)]


def mutated(random_: random.Random, request: bytes) -> bytes:
    """Replace up to eight short pieces of a request by random bytes."""
    data = bytearray(request)
    for _ in range(random_.randint(0, 8)):
        place = random_.randrange(len(data))
        data[place : place + random_.randrange(4)] = random_.randbytes(random_.randrange(6))
    return bytes(data)


async def send(address: str, data: bytes) -> None:
    """Send bytes, and read until the server closes the connection or one second has passed."""
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(1):
            writer.write(data)
            writer.write_eof()
            await reader.read()
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in SOAK_SEEDS)])
async def test_malformed_requests_cause_no_unexpected_error(pool: Pool, seed: int) -> None:
    core, random_ = pool.net.services["core"], random.Random(seed)
    http, grpc = core.http.removeprefix("http://"), core.grpc
    for _ in range(ROUNDS):
        requests = [(http, mutated(random_, random_.choice(HTTP))) for _ in range(AT_ONCE)]
        requests.append((grpc, mutated(random_, random_.choice(GRPC))))
        await asyncio.gather(*(send(*request) for request in requests))
    assert (await http_calls.get(f"{core.http}/actuator/health")).status == 200
    found = await pool.workers.GetConfig(pb.GetConfigRequest())
    assert found.configuration.workerpool == pool.net.workerpool
    assert "unexpected_error" not in core.process.log.read_text()
