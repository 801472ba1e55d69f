"""Messages from the scheduler to a worker, as values; `api` translates them to the protocol."""

from dataclasses import dataclass

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import Block

from workerpool_core.domain.decisions import AnswerUpdate
from workerpool_core.domain.model import Command, DealTerms


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The session is open; the worker drops the replicates of the tasks in `dropped`."""

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
    """A durable command, with an `assignment` when the worker resumes a replicate."""

    command: Command
    assignment: Assigned | None = None


@dataclass(frozen=True, slots=True)
class Draining:
    """The worker gets no further work until `deadline` (Unix seconds; infinity means indefinitely)."""

    deadline: float


@dataclass(frozen=True, slots=True)
class ConfigurationChanged:
    """The pool's public configuration changed; the message carries the one current when it is sent."""


@dataclass(frozen=True, slots=True)
class ShutDown:
    """The session ends; without `retry_after_s` (seconds) the worker should not reconnect."""

    reason: str
    message: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NewHead:
    """The newest block that core's node has."""

    block: Block


Message = (
    Welcomed | Assigned | Commanded | AnswerUpdate | Draining | ConfigurationChanged | NewHead | ShutDown
)
