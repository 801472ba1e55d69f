"""What the scheduler says on a worker's stream, as values; `api` turns them into protocol messages."""

from dataclasses import dataclass

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.decisions import AnswerUpdate
from workerpool_core.domain.model import Command, DealTerms


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The stream is open; the worker drops the replicates named."""

    session: str
    dropped: tuple[TaskId, ...]


@dataclass(frozen=True, slots=True)
class Assigned:
    """A replicate with everything that its worker needs."""

    authorization: WorkerpoolAuthorization
    terms: DealTerms
    index: int
    initialization_block: int
    sms_url: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """A durable command; `assignment` travels along for a worker that resumes."""

    command: Command
    assignment: Assigned | None = None


@dataclass(frozen=True, slots=True)
class Draining:
    """No more work comes; the worker is expected to be empty at `deadline` (infinity: no hurry)."""

    deadline: float


@dataclass(frozen=True, slots=True)
class ShutDown:
    """The stream ends. Without `retry_after_s` the worker should not come back."""

    reason: str
    message: str
    retry_after_s: float | None = None


Message = Welcomed | Assigned | Commanded | AnswerUpdate | Draining | ShutDown
