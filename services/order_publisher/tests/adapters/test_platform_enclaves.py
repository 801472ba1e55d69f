"""Whether an SMS serves a framework, asked like core asks it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from workerpool_kit.access.authenticators import ANYONE
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.server import GrpcServer
from workerpool_order_publisher.adapters.platform_enclaves import PlatformEnclaves
from workerpool_order_publisher.app.ports import PeerOutage
from workerpool_poco.protocol.tags import TeeFramework
from workerpool_protocol.registry.v1 import platform_service_pb2 as registry_pb
from workerpool_protocol.registry.v1.platform_service_pb2_grpc import (
    PlatformServiceServicer,
    add_PlatformServiceServicer_to_server,
)
from workerpool_protocol.sms.v1 import tee_service_pb2 as sms_pb
from workerpool_protocol.sms.v1.tee_service_pb2_grpc import (
    TeeServiceServicer,
    add_TeeServiceServicer_to_server,
)

REGISTRY, SMS = "workerpool.registry.v1.PlatformService", "workerpool.sms.v1.TeeService"


class NotFound(WorkerpoolError):
    kind = Kind.NOT_FOUND
    reason = "STACK_NOT_FOUND"


class Platform(PlatformServiceServicer):
    def __init__(self) -> None:
        self.locations: dict[int, str] | None = None

    async def GetStack(self, request: Any, context: Any) -> registry_pb.GetStackResponse:
        if self.locations is None:
            raise NotFound("there is no application-default.yml")
        found = [registry_pb.SmsLocation(framework=f, url=u) for f, u in self.locations.items()]  # type: ignore[arg-type]
        return registry_pb.GetStackResponse(stack=registry_pb.Stack(sms_locations=found))


class Sms(TeeServiceServicer):
    framework = registry_pb.TEE_FRAMEWORK_TDX

    async def GetFramework(self, request: Any, context: Any) -> sms_pb.GetFrameworkResponse:
        return sms_pb.GetFrameworkResponse(framework=self.framework)


@pytest.fixture
async def pool() -> AsyncIterator[Any]:
    """A registry and an SMS on one port."""
    services = {
        REGISTRY: registry_pb.DESCRIPTOR.services_by_name["PlatformService"],
        SMS: sms_pb.DESCRIPTOR.services_by_name["TeeService"],
    }
    policy = {
        f"/{name}/{method}": frozenset({ANYONE})
        for name, service in services.items()
        for method in service.methods_by_name
    }
    server = GrpcServer(0, host="127.0.0.1", policy=policy)
    platform, sms = Platform(), Sms()  # type: ignore[abstract]
    server.add(add_PlatformServiceServicer_to_server, platform, REGISTRY)
    server.add(add_TeeServiceServicer_to_server, sms, SMS)
    await server.start()
    url = f"http://127.0.0.1:{server.port - 10_000}"
    yield platform, sms, url, PlatformEnclaves(url, "", "")
    await server.stop(0)


async def test_an_sms_of_the_framework_has_no_objection(pool: Any) -> None:
    platform, _, url, enclaves = pool
    platform.locations = {registry_pb.TEE_FRAMEWORK_TDX: url}
    assert await enclaves.objection(TeeFramework.TDX) == ""


@pytest.mark.parametrize(
    ("locations", "words"),
    [
        (None, "there is no application-default.yml"),
        ({}, "the platform registry lists none"),
        ({registry_pb.TEE_FRAMEWORK_TDX: "http://sms"}, "host and a port"),
    ],
)
async def test_without_an_sms_the_reason_is_said(pool: Any, locations: Any, words: str) -> None:
    platform, _, _, enclaves = pool
    platform.locations = locations
    objection = await enclaves.objection(TeeFramework.TDX)
    assert objection.startswith("no SMS serves TDX: ")
    assert words in objection


async def test_an_sms_of_another_framework_objects(pool: Any) -> None:
    platform, sms, url, enclaves = pool
    platform.locations = {registry_pb.TEE_FRAMEWORK_TDX: url}
    sms.framework = registry_pb.TEE_FRAMEWORK_SCONE
    assert "serves another framework" in await enclaves.objection(TeeFramework.TDX)


async def test_a_silent_registry_or_sms_is_an_outage(pool: Any) -> None:
    platform, _, _, enclaves = pool
    with pytest.raises(PeerOutage, match="platform registry does not answer"):
        await PlatformEnclaves("http://127.0.0.1:9", "", "").objection(TeeFramework.TDX)
    platform.locations = {registry_pb.TEE_FRAMEWORK_TDX: "http://127.0.0.1:9"}
    with pytest.raises(PeerOutage, match="SMS at"):
        await enclaves.objection(TeeFramework.TDX)
