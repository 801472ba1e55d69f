"""Reasons as messages and as JSON say the same."""

import pytest
from google.protobuf.json_format import MessageToDict
from workerpool_core.api.protocol_enums import REASON_CODE
from workerpool_core.api.reason_messages import reason_document, reason_message
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_protocol.core.v1 import reason_pb2 as pb
from workerpool_protocol.core.v1 import statuses_pb2 as statuses


def test_every_code_of_the_domain_is_one_of_the_protocol_and_the_reverse() -> None:
    assert len(set(REASON_CODE.values())) == len(ReasonCode)
    assert set(pb.ReasonCode.values()) == {0, *REASON_CODE.values()}


def test_a_reason_is_a_message_with_all_its_parts() -> None:
    found = reason(
        ReasonCode.APP_FAILED,
        "the app ended with exit code 3",
        cause=ReplicateStatusCause.APP_COMPUTE_FAILED,
        exit_code=3,
        until=1_700_000_000.5,
        evidence={"workers": "0xA"},
    )
    message = reason_message(found)
    assert message is not None
    assert (message.code, message.fault) == (pb.REASON_CODE_APP_FAILED, statuses.FAULT_APP)
    assert message.sentence == "The app ended with exit code 3."
    assert message.cause == statuses.REPLICATE_STATUS_CAUSE_APP_COMPUTE_FAILED
    assert message.until.ToJsonString() == "2023-11-14T22:13:20.500Z"
    document = reason_document(found)
    assert document == {
        "code": "APP_FAILED",
        "fault": "app",
        "sentence": message.sentence,
        "evidence": {"cause": "APP_COMPUTE_FAILED", "exit_code": "3", "workers": "0xA"},
        "next": message.next_step,
        "cause": "APP_COMPUTE_FAILED",
        "until": "2023-11-14T22:13:20.500Z",
    }
    assert document["evidence"] == {each.key: each.value for each in message.evidence}


def test_what_a_reason_lacks_is_left_out() -> None:
    document = reason_document(reason(ReasonCode.NO_TASK_WAITS))
    assert document is not None
    assert document.keys() == {"code", "sentence", "next"}
    message = reason_message(reason(ReasonCode.NO_TASK_WAITS))
    assert message is not None
    assert MessageToDict(message).keys() == {"code", "sentence", "nextStep"}


@pytest.mark.parametrize("nothing", [None, Explanation("progress without a code")])
def test_without_a_reason_there_is_no_record(nothing: Explanation | None) -> None:
    assert reason_message(nothing) is None
    assert reason_document(nothing) is None
