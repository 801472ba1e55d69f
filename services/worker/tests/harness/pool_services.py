"""The services of a pool on free ports of this host, and checks at them as a worker takes them."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
from doubles.node import CHAIN_ID, Node
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_kit.settings.environment import load
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.authorization import audience_of
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.encoding.abi_codec import encode
from workerpool_poco.protocol.ids import from_hex, to_hex
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.registry.v1 import config_service_pb2, config_service_pb2_grpc
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc
from workerpool_worker.cli.pool_checks import PoolChecks
from workerpool_worker.domain.diagnosis.findings import Finding, Severity
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.doubles.service_peers import ConfigPeer, ResultPeer
from services.worker.tests.harness.builders import WORKER

POOL = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
HUB = "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f"
VERSION = "9.1.0"


class Core(CorePeer):
    """A scheduler that also fails, and whose clock a test sets."""

    def __init__(self) -> None:
        super().__init__(POOL, CHAIN_ID)
        self.clock: Callable[[], Timestamp | None] = lambda: Timestamp(seconds=int(time.time()))
        self.fails: dict[str, tuple[grpc.StatusCode, str]] = {}
        """Codes and texts by method."""

    async def _may_fail(self, method: str, context: Any) -> None:
        if method in self.fails:
            await context.abort(*self.fails[method])

    async def GetConfig(self, request: Any, context: Any) -> pb.GetConfigResponse:
        await self._may_fail("GetConfig", context)
        return pb.GetConfigResponse(configuration=self.configuration, server_time=self.clock())

    async def CreateChallenge(self, request: Any, context: Any) -> pb.CreateChallengeResponse:
        await self._may_fail("CreateChallenge", context)
        return await super().CreateChallenge(request, context)


class Services:
    """The services of a pool, and a look at them."""

    def __init__(self, core: Core, node: Node, stack: AsyncExitStack) -> None:
        self.core, self.node = core, node
        self.results = ResultPeer()
        self.chain = config_service_pb2.ChainConfig(
            chain_id=CHAIN_ID, node_url=node.url, hub_address=HUB, block_time=Duration(seconds=5)
        )
        self.views: dict[tuple[str, str], tuple[Any, ...]] = {
            ("hub", "domain"): (("iExecODB", "5.0.0", CHAIN_ID, HUB),),
            ("hub", "viewAccount"): ((7, 5),),
            ("workerpool", "owner"): (WORKER,),
        }
        """Answers of the contracts."""
        self._stack = stack
        plain = node.answer

        def answer(request: Any) -> dict[str, Any]:
            if request["method"] != "eth_call" or "eth_call" in node.errors:
                return plain(request)
            selector, result = from_hex(request["params"][0]["data"])[:4], "0x"
            for (contract, name), values in self.views.items():
                function = {"hub": abi.HUB, "workerpool": abi.WORKERPOOL}[contract][name]
                if function.selector == selector:
                    result = to_hex(encode(function.outputs, values))
            return {"jsonrpc": "2.0", "id": request["id"], "result": result}

        node.answer = answer  # type: ignore[method-assign]

    async def start(self) -> None:
        """Serve at free ports, and let the scheduler name them."""
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        config_service_pb2_grpc.add_ConfigServiceServicer_to_server(ConfigPeer(self.chain), server)
        result_service_pb2_grpc.add_ResultServiceServicer_to_server(self.results, server)
        port = server.add_insecure_port("127.0.0.1:0")
        url = f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
        self.core.configuration.config_server_url = self.core.configuration.result_proxy_url = url
        self.results.audience = audience_of(url)
        await server.start()
        self._stack.push_async_callback(server.stop, None)
        await self.core.start()
        self._stack.push_async_callback(self.core.stop)

    def checks(self, **variables: str) -> PoolChecks:
        """Return new checks of a worker with these variables."""
        given = {"POOL_ADDRESS": POOL, "IEXEC_CORE_URL": self.core.url}
        return PoolChecks(load(WorkerSettings, given | variables), self._stack)

    async def ready(self, **variables: str) -> PoolChecks:
        """Return checks that have read the scheduler's configuration."""
        checks = self.checks(**variables)
        await checks.scheduler(VERSION)
        assert checks.pool is not None
        return checks


def only(findings: list[Finding], outcome: Severity = Severity.PROBLEM) -> Finding:
    """Return the only finding; a problem must have a remedy."""
    (finding,) = findings
    assert finding.severity is outcome, finding
    assert bool(finding.next_step) is (outcome is Severity.PROBLEM)
    return finding
