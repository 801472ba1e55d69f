"""Server reflection, in both versions of its protocol: v1, which current tools try first, and v1alpha.

grpcio-reflection has v1alpha only. The messages of both versions are the same on the wire, so one servicer serves both
under their names.
"""

from collections.abc import Sequence

import grpc
from grpc_reflection.v1alpha import _async, reflection, reflection_pb2

SERVICE_NAMES = ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)


def add_reflection(services: Sequence[str], server: grpc.aio.Server) -> None:
    """Let callers list `services` (full names) and read their descriptors."""
    # The descriptor of v1 is not installed, so v1 is served but not listed: tools describe what is listed.
    # The asynchronous servicer has no public name that a type checker sees.
    servicer = _async.ReflectionServicer((*services, reflection.SERVICE_NAME))
    method = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method})
            for name in SERVICE_NAMES
        )
    )
