"""Names of statuses, causes and reasons in the protocol's spelling, without the prefix that protobuf gives them."""

from typing import Any

from workerpool_protocol.core.v1 import reason_pb2, statuses_pb2


def task_status_name(status: int) -> str:
    """Return the name of a task's status, such as COMPLETED."""
    return _name(statuses_pb2.TaskStatus, status, "TASK_STATUS_")


def replicate_status_name(status: int) -> str:
    """Return the name of a replicate's status, such as CONTRIBUTED."""
    return _name(statuses_pb2.ReplicateStatus, status, "REPLICATE_STATUS_")


def cause_name(cause: int) -> str:
    """Return the name of a failure's cause, such as APP_COMPUTE_FAILED; empty when it is not set."""
    return _name(statuses_pb2.ReplicateStatusCause, cause, "REPLICATE_STATUS_CAUSE_") if cause else ""


def fault_name(fault: int) -> str:
    """Return the side that is to blame, such as APP; empty when none is."""
    return _name(statuses_pb2.Fault, fault, "FAULT_") if fault else ""


def reason_name(code: int) -> str:
    """Return the name of a reason's code, such as NO_FREE_SLOT."""
    return _name(reason_pb2.ReasonCode, code, "REASON_CODE_")


def _name(enum: Any, value: int, prefix: str) -> str:
    """Return the name of a value; its number when a newer pool sent one that this package does not know."""
    try:
        return str(enum.Name(value)).removeprefix(prefix)
    except ValueError:
        return str(value)
