"""Reasons as protocol messages and as JSON."""

from typing import Any

from workerpool_protocol.core.v1 import reason_pb2 as pb

from workerpool_core.api.protocol_enums import CAUSE, FAULT, REASON_CODE
from workerpool_core.api.times import iso_date, timestamp
from workerpool_core.domain.explanations.explanation import Explanation


def reason_message(reason: Explanation | None) -> pb.Reason | None:
    """Return a reason as a message; None without a code."""
    if reason is None or reason.code is None:
        return None
    message = pb.Reason(
        code=REASON_CODE[reason.code],
        fault=FAULT[reason.side],
        sentence=reason.sentence,
        evidence=[pb.Evidence(key=key, value=value) for key, value in reason.evidence],
        next_step=reason.next_step,
        cause=CAUSE[reason.cause],
    )
    if reason.until:
        message.until.CopyFrom(timestamp(reason.until))
    return message


def reason_document(reason: Explanation | None) -> dict[str, Any] | None:
    """Return a reason as JSON, without empty keys; None without a code."""
    if reason is None or reason.code is None:
        return None
    keys = {
        "code": reason.code.value,
        "fault": reason.side.value if reason.side is not None else "",
        "sentence": reason.sentence,
        "evidence": dict(reason.evidence),
        "next": reason.next_step,
        "cause": reason.cause.value if reason.cause is not None else "",
        "until": iso_date(reason.until) if reason.until else "",
    }
    return {key: value for key, value in keys.items() if value}
