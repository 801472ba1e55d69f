"""The health service by itself: states, watchers, the end."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from patience import PATIENCE_S
from workerpool_kit.grpc.health import HealthServicer

STATUS = health_pb2.HealthCheckResponse


class Context:
    """The part of a servicer context that `Check` uses."""

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise LookupError(code, details)


def request(service: str = "") -> Any:
    return health_pb2.HealthCheckRequest(service=service)


async def state(servicer: HealthServicer, service: str = "") -> int:
    return int((await servicer.Check(request(service), Context())).status)


async def test_default_does_not_override_a_recorded_state() -> None:
    servicer = HealthServicer()
    servicer.set("a", False)
    servicer.set_default("a", True)
    servicer.set_default("b", True)
    assert await state(servicer, "a") == STATUS.NOT_SERVING
    assert await state(servicer, "b") == STATUS.SERVING
    assert await state(servicer) == STATUS.SERVING


async def test_unknown_service_is_not_found() -> None:
    with pytest.raises(LookupError) as refused:
        await state(HealthServicer(), "unknown")
    assert refused.value.args[0] is grpc.StatusCode.NOT_FOUND


async def test_watcher_receives_changes_and_the_end() -> None:
    servicer = HealthServicer()
    watching = servicer.Watch(request("a"), Context())
    assert (await anext(watching)).status == STATUS.SERVICE_UNKNOWN
    servicer.set("a", True)
    assert (await anext(watching)).status == STATUS.SERVING
    following = asyncio.ensure_future(anext(watching))
    await asyncio.sleep(0)
    servicer.close()
    assert (await asyncio.wait_for(following, PATIENCE_S)).status == STATUS.NOT_SERVING
    with pytest.raises(StopAsyncIteration):
        await anext(watching)
