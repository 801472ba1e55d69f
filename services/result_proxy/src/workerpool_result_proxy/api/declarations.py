"""What uploads declare, by gRPC and by HTTP."""

from workerpool_poco.protocol.ids import TaskId, bytes32
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

from workerpool_result_proxy.domain.results import Declaration


def declaration_of(header: pb.UploadHeader) -> Declaration:
    """Return the declaration of a valid header."""
    return Declaration(
        task_id=TaskId(header.task_id),
        size=header.size,
        sha256=bytes32(header.sha256),
        result_digest=bytes32(header.result_digest),
        offset=header.offset,
    )
