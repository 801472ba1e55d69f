"""Headers of uploads, as the use case sees them."""

from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_result_proxy.api.declarations import declaration_of
from workerpool_result_proxy.domain.results import Declaration

TASK, SHA256, DIGEST = "0x" + "01" * 32, bytes([2] * 32), bytes([3] * 32)


def test_a_header_declares_the_archive_and_where_its_bytes_start() -> None:
    header = pb.UploadHeader(
        task_id=TASK, size=9, sha256=to_hex(SHA256), result_digest=to_hex(DIGEST), offset=4
    )
    declared = declaration_of(header)
    assert declared == Declaration(declared.task_id, 9, SHA256, DIGEST, 4)
    assert (declared.task_id, declared.offset) == (TASK, 4)
