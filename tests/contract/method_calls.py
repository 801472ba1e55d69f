"""Call any method by its name, with the contract as data."""

from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from workerpool_kit.grpc.client import error_reason
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2
from workerpool_protocol.core.v1 import (
    deal_service_pb2,
    pool_service_pb2,
    task_service_pb2,
    worker_service_pb2,
)
from workerpool_protocol.order_publisher.v1 import offer_service_pb2
from workerpool_protocol.registry.v1 import config_service_pb2, platform_service_pb2
from workerpool_protocol.result_proxy.v1 import result_service_pb2
from workerpool_protocol.sms.v1 import secret_service_pb2, tee_service_pb2

PROTOCOL = descriptor_pool.Default()
_MODULES = (
    transaction_service_pb2,
    deal_service_pb2,
    pool_service_pb2,
    task_service_pb2,
    worker_service_pb2,
    offer_service_pb2,
    config_service_pb2,
    platform_service_pb2,
    result_service_pb2,
    secret_service_pb2,
    tee_service_pb2,
    health_pb2,
    reflection_pb2,
)
for module in _MODULES:
    PROTOCOL.FindFileByName(module.DESCRIPTOR.name)  # the import of a module registers it


async def call(
    channel: grpc.aio.Channel, method: str, request: dict[str, Any], metadata: Any
) -> tuple[StatusCode, str | None]:
    """Call a method and return its status and reason."""
    for _ in range(20):
        answer = await call_once(channel, method, request, metadata)
        # The gRPC client reports INTERNAL itself when its first message meets a stream that was refused already.
        if answer != (StatusCode.INTERNAL, None):
            return answer
    return answer


async def call_once(
    channel: grpc.aio.Channel, method: str, request: dict[str, Any], metadata: Any
) -> tuple[StatusCode, str | None]:
    """Call a method of any arity with one message, read at most one message, and return status and reason."""
    service, name = method.rsplit("/", 1)
    found = PROTOCOL.FindServiceByName(service).methods_by_name[name]
    ask, answer = map(message_factory.GetMessageClass, (found.input_type, found.output_type))
    arity = (
        f"{'stream' if found.client_streaming else 'unary'}_{'stream' if found.server_streaming else 'unary'}"
    )
    rpc = getattr(channel, arity)(
        f"/{method}", request_serializer=ask.SerializeToString, response_deserializer=answer.FromString
    )
    first = iter([ask(**request)]) if found.client_streaming else ask(**request)
    started = rpc(first, metadata=metadata, timeout=20)
    try:
        if found.server_streaming:
            await anext(aiter(started), None)
        else:
            await started
    except grpc.aio.AioRpcError as error:
        return error.code(), error_reason(error)
    finally:
        started.cancel()
    return StatusCode.OK, None
