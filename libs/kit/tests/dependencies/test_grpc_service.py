"""What a probe says of a service that is missing, another one, out of service, or does not know us."""

from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from patience import PATIENCE_S
from workerpool_kit.access.authenticators import ANYONE, BasicAuthenticator
from workerpool_kit.dependencies.grpc_service import MovableService, probe_login, probe_service
from workerpool_kit.dependencies.report import (
    CREDENTIALS,
    NOT_IN_SERVICE,
    UNREACHABLE,
    WRONG,
    Dependency,
    DependencyProblem,
    DependencyReport,
)
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health


async def problem(call: Any) -> DependencyProblem:
    with pytest.raises(DependencyProblem) as found:
        await call
    return found.value


async def test_a_service_is_there_missing_another_one_or_out_of_service() -> None:
    server, health = GrpcServer(0, host="127.0.0.1", policy={}), Health()
    await server.start()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        await probe_service(channel, "", "proxy")
        assert (await problem(probe_service(channel, "workerpool.Other", "proxy"))).kind == WRONG
        server.follow(health)
        health.set("database", False)
        assert (await problem(probe_service(channel, "", "proxy"))).kind == NOT_IN_SERVICE
        health.set("database", True)
        await probe_service(channel, "", "proxy")
        await server.stop(0)
        assert (await problem(probe_service(channel, "", "proxy"))).kind == UNREACHABLE


async def test_the_probe_follows_the_address_of_a_service() -> None:
    server, health = GrpcServer(0, host="127.0.0.1", policy={}), Health()
    await server.start()
    url = f"http://127.0.0.1:{server.port - 10_000}"
    report = DependencyReport(health, Dependency("proxy", "PROXY", url, "start it"))
    service = MovableService(lambda: url, "workerpool.Proxy", "result proxy", report)
    assert (await problem(service.probe())).kind == WRONG
    server.set_health("workerpool.Proxy", True)
    await service.probe()
    url = "http://127.0.0.1:9"
    assert (await problem(service.probe())).kind == UNREACHABLE
    assert report.address == url
    url = "nowhere"
    assert (await problem(service.probe())).kind == WRONG
    await service.close()
    await server.stop(0)


@pytest.mark.parametrize(
    ("password", "failure", "kind"),
    [
        ("right", None, None),
        ("wrong", None, CREDENTIALS),
        ("right", DatabaseUnavailable("away"), NOT_IN_SERVICE),
    ],
)
async def test_credentials_are_distinguished_from_other_failures(
    password: str, failure: Exception | None, kind: str | None
) -> None:
    class Named(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
        async def Check(self, request: Any, context: Any) -> Any:
            if failure is not None:
                raise failure
            return health_pb2.HealthCheckResponse()

    server = await _closed_server(Named())
    async with open_channel(f"127.0.0.1:{server.port}", basic=("core", password)) as opened:
        channel: Any = opened
        call = channel.unary_unary("/kit.test.Closed/Check")
        probe = probe_login(lambda: call(b"", timeout=PATIENCE_S), "adapter", "ADAPTER_PASSWORD")
        if kind is None:
            await probe
        else:
            found = await problem(probe)
            assert found.kind == kind
            assert (found.variable == "ADAPTER_PASSWORD") is (kind == CREDENTIALS)
    await server.stop(0)


async def _closed_server(servicer: Any) -> GrpcServer:
    """Return a server with one method that needs a password."""
    import grpc

    def add(servicer: Any, server: Any) -> None:
        method = grpc.unary_unary_rpc_method_handler(
            servicer.Check,
            health_pb2.HealthCheckRequest.FromString,
            health_pb2.HealthCheckResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("kit.test.Closed", {"Check": method}),)
        )

    server = GrpcServer(
        0,
        host="127.0.0.1",
        authenticator=BasicAuthenticator("core", "right", "admin"),
        policy={"/kit.test.Closed/Check": frozenset({"admin"})},
    )
    server.add(add, servicer, "kit.test.Closed")
    server._check_policy = lambda: None  # type: ignore[method-assign]  # the service has no descriptor
    assert ANYONE not in server._policy["/kit.test.Closed/Check"]
    await server.start()
    return server
