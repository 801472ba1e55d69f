"""The worker's dependencies: what is said of its engine and its node."""

from typing import Any

import grpc
import pytest
from workerpool_kit.dependencies.report import UNREACHABLE, WRONG, DependencyProblem
from workerpool_kit.health import Health
from workerpool_kit.settings.environment import load
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.errors import ChainUnreachable, WrongChain
from workerpool_poco.protocol.authorization import audience_of
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import add_ResultServiceServicer_to_server
from workerpool_worker import dependencies
from workerpool_worker.errors import DockerUnavailable, EngineFailure, EngineRefused
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.service_peers import ResultPeer
from services.worker.tests.harness.builders import WORKER


async def problem(call: Any) -> DependencyProblem:
    with pytest.raises(DependencyProblem) as found:
        await call
    return found.value


@pytest.mark.parametrize("failure", [DockerUnavailable("no socket"), EngineRefused("not for you")])
async def test_an_engine_that_does_not_answer_or_refuses_is_a_problem(failure: EngineFailure) -> None:
    class Engine:
        async def version(self) -> str:
            raise failure

    engine: Any = Engine()
    assert str(await problem(dependencies.probe_docker(engine))) == failure.message


@pytest.mark.parametrize("audience", ["", "https://other.example"])
async def test_a_proxy_with_another_name_is_found_before_a_contribution(audience: str) -> None:
    server, peer = grpc.aio.server(options=[("grpc.so_reuseport", 0)]), ResultPeer()
    add_ResultServiceServicer_to_server(peer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    url = f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
    peer.audience = audience or audience_of(url)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        if not audience:
            await dependencies.check_proxy_name(channel, url)
        else:
            found = await problem(dependencies.check_proxy_name(channel, url))
            assert found.kind == WRONG
            assert "calls itself 'https://other.example'" in str(found)
            assert found.variable == "IEXEC_RESULT_PROXY_PUBLIC_URL of the result proxy"
    await server.stop(None)


@pytest.mark.parametrize(
    ("error", "kind"), [(WrongChain("chain 1"), WRONG), (ChainUnreachable("refused"), UNREACHABLE)]
)
def test_a_node_of_another_chain_is_distinguished_from_a_dead_one(error: Exception, kind: str) -> None:
    assert dependencies.node_problem(error).kind == kind


@pytest.mark.parametrize("override", [True, False])
def test_the_source_of_the_node_is_named(override: bool) -> None:
    changes = {"IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS": "http://own:1/key"} if override else {}
    settings = load(WorkerSettings, {"POOL_ADDRESS": WORKER, **changes})
    health = Health()
    dependencies.node_report(health, settings, "http://node:8545/key")
    details = health.snapshot()["components"]["chain"]["details"]
    assert ("config server" in details["variable"]) is not override
    assert details["address"] == "http://node:8545"


class Heads:
    """Heads whose source the test chooses."""

    def __init__(self, *, pushed: bool, outage: Exception | None = None) -> None:
        self.pushed, self.outage = pushed, outage


class Rpc:
    """A node that counts requests."""

    def __init__(self) -> None:
        self.requests = 0
        self.failure: Exception | None = None

    async def call(self, method: str, *params: Any, attempts: int) -> str:
        self.requests += 1
        if self.failure is not None:
            raise self.failure
        return "0x1"


async def test_while_the_scheduler_sends_heads_the_node_is_probed_rarely() -> None:
    now = 0.0
    heads: Any = Heads(pushed=True)
    rpc: Any = Rpc()
    probe = dependencies.node_probe(heads, rpc, lambda: now)
    for _ in range(20):
        await probe()
        now += 0.5
    assert rpc.requests == 2
    rpc.failure = ChainUnreachable("connection refused")
    now += dependencies.SLOW_PERIOD_S
    assert "refused" in str(await problem(probe()))
    rpc.failure = None
    now += 1
    await probe()


async def test_without_heads_of_the_scheduler_the_workers_own_polls_are_the_probe() -> None:
    heads: Any = Heads(pushed=False, outage=ChainUnreachable("connection refused"))
    rpc: Any = Rpc()
    probe = dependencies.node_probe(heads, rpc)
    assert "refused" in str(await problem(probe()))
    heads.outage = None
    await probe()
    assert rpc.requests == 0
