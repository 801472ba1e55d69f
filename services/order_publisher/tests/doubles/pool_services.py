"""The config server and core of a pool, on one gRPC port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from workerpool_kit.access.authenticators import ANYONE, OPERATOR, BasicAuthenticator
from workerpool_kit.grpc.server import GrpcServer
from workerpool_protocol.core.v1 import pool_service_pb2 as core_pb
from workerpool_protocol.core.v1.pool_service_pb2_grpc import (
    PoolServiceServicer,
    add_PoolServiceServicer_to_server,
)
from workerpool_protocol.registry.v1 import config_service_pb2 as config_pb
from workerpool_protocol.registry.v1.config_service_pb2_grpc import (
    ConfigServiceServicer,
    add_ConfigServiceServicer_to_server,
)

CONFIG, CORE = "workerpool.registry.v1.ConfigService", "workerpool.core.v1.PoolService"


class _Config(ConfigServiceServicer):
    def __init__(self, chain: config_pb.ChainConfig) -> None:
        self._chain = chain

    async def GetChain(self, request: Any, context: Any) -> config_pb.GetChainResponse:
        return config_pb.GetChainResponse(chain=self._chain)


class _Core(PoolServiceServicer):
    def __init__(self, supply: core_pb.Supply) -> None:
        self._supply = supply

    async def WatchSupply(self, request: Any, context: Any) -> AsyncIterator[core_pb.WatchSupplyResponse]:
        yield core_pb.WatchSupplyResponse(supply=self._supply)
        await asyncio.Event().wait()


@asynccontextmanager
async def served(chain: config_pb.ChainConfig, supply: core_pb.Supply) -> AsyncIterator[str]:
    """Serve both and yield their documented URL; the operator of core is `ops` with the password `secret`."""
    policy = {f"/{CONFIG}/GetChain": frozenset({ANYONE})}
    methods = core_pb.DESCRIPTOR.services_by_name["PoolService"].methods_by_name
    policy |= {f"/{CORE}/{method}": frozenset({OPERATOR}) for method in methods}
    operator = BasicAuthenticator("ops", "secret", OPERATOR)
    server = GrpcServer(0, host="127.0.0.1", authenticator=operator, policy=policy)
    server.add(add_ConfigServiceServicer_to_server, _Config(chain), CONFIG)
    core = _Core(supply)  # type: ignore[abstract]
    server.add(add_PoolServiceServicer_to_server, core, CORE)
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port - 10_000}"
    finally:
        await server.stop(0)
