"""Mappings between the scheduler's enums and those of the protocol, in both directions."""

from enum import Enum
from typing import Any, TypeVar

from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus
from workerpool_protocol.core.v1 import reason_pb2 as reasons
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import worker_service_pb2 as worker

from workerpool_core.domain.decisions import UpdateOutcome
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.model import Action, Modifier

E = TypeVar("E", bound=Enum)


def _table(module: Any, prefix: str, kind: type[E]) -> dict[E, Any]:
    return {item: getattr(module, f"{prefix}_{item.value}") for item in kind}


def _inverse(table: dict[E, Any]) -> dict[int, E]:
    return {number: item for item, number in table.items()}


TASK_STATUS = _table(statuses, "TASK_STATUS", TaskStatus)
REPLICATE_STATUS = _table(statuses, "REPLICATE_STATUS", ReplicateStatus)
CAUSE: dict[ReplicateStatusCause | None, Any] = {None: 0} | _table(
    statuses, "REPLICATE_STATUS_CAUSE", ReplicateStatusCause
)
FAULT: dict[Side | None, Any] = {None: 0} | {side: getattr(statuses, f"FAULT_{side.name}") for side in Side}
REASON_CODE = _table(reasons, "REASON_CODE", ReasonCode)
MODIFIER = _table(statuses, "MODIFIER", Modifier)
ACTION = _table(worker, "ACTION", Action)
UPDATE_OUTCOME = _table(worker, "UPDATE_OUTCOME", UpdateOutcome)

TASK_STATUS_OF = _inverse(TASK_STATUS)
REPLICATE_STATUS_OF = _inverse(REPLICATE_STATUS)
REASON_CODE_OF = _inverse(REASON_CODE)
CAUSE_OF = {number: cause for cause, number in CAUSE.items()}
