"""The state of a replicate that the journal stores, so that a restarted worker continues the replicate."""

import json
from dataclasses import dataclass, replace
from typing import Any, Self

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.domain.updates import fields_of


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of post-compute: a digest as `0x…` text and callback data, or the cause why there is no digest."""

    digest: str = ""
    callback_data: str = ""
    cause: ReplicateStatusCause | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the scheduler. `block_number` is the consensus block of a REVEAL, else 0."""

    sequence: int
    task_id: TaskId
    action: Action
    block_number: int = 0
    cause: ReplicateStatusCause | None = None


@dataclass(frozen=True, slots=True)
class ReplicateRecord:
    """A replicate in the journal. `stage` is the next stage to run, `status` the last reported status."""

    task_id: TaskId
    stage: Stage = Stage.START
    status: ReplicateStatus = ReplicateStatus.CREATED
    result: Result | None = None
    consensus_block: int = 0
    last_command: int = 0
    """Highest command sequence accepted for this replicate."""
    pending: tuple[Command, ...] = ()
    """Commands that were accepted but not applied yet, oldest first."""
    since: float = 0.0
    """When the last status was reported, by this host's clock in Unix seconds; 0 before the first one."""

    def evolve(self, **changes: Any) -> Self:
        """Return a copy with the given fields changed."""
        return replace(self, **changes)

    @property
    def result_available(self) -> bool:
        """Whether the record holds a result digest to contribute, reveal or upload."""
        return self.result is not None and bool(self.result.digest)

    def to_json(self) -> str:
        """Return the record as stored in the journal."""
        content = fields_of(self)
        content["result"] = self.result and fields_of(self.result)
        content["pending"] = [fields_of(each) for each in self.pending]
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the record from its stored form. Raises ValueError, KeyError or TypeError if it is damaged."""
        content: dict[str, Any] = json.loads(text)
        content["stage"] = Stage(content["stage"])
        content["status"] = ReplicateStatus(content["status"])
        content["pending"] = tuple(_command(item) for item in content["pending"])
        if content["result"] is not None:
            result = content["result"]
            result["cause"] = result["cause"] and ReplicateStatusCause(result["cause"])
            content["result"] = Result(**result)
        return cls(**content)


def _command(content: dict[str, Any]) -> Command:
    content["action"] = Action(content["action"])
    content["cause"] = content["cause"] and ReplicateStatusCause(content["cause"])
    return Command(**content)
