"""A server that answers as a test says."""

from collections.abc import AsyncIterator

import pytest
from workerpool_kit.grpc.server import GrpcServer

from .pool_double import PoolDouble, started


@pytest.fixture
def double() -> PoolDouble:
    return PoolDouble()


@pytest.fixture
async def server(double: PoolDouble) -> AsyncIterator[GrpcServer]:
    running = await started(double)
    yield running
    await running.stop(0.2)


@pytest.fixture
def target(server: GrpcServer) -> str:
    return f"127.0.0.1:{server.port}"
