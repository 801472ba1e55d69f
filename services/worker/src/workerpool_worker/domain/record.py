"""Everything the worker must remember about a replicate to go on after a crash."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.domain.stages import Action, Stage


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction that was journaled and then sent: its nonce makes sending it again harmless."""

    hash: str
    raw: str
    nonce: int
    earlier: tuple[str, ...] = ()
    """Hashes of cheaper versions under the same nonce, oldest first; any of them may be the one that is mined."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the app left: a digest (``0x…``) or the reason why there is none, and the callback data if asked for."""

    digest: str = ""
    callback_data: str = ""
    cause: ReplicateStatusCause | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something the scheduler wants done. ``block_number`` is the consensus block of a REVEAL, else 0."""

    sequence: int
    task_id: TaskId
    action: Action
    block_number: int = 0
    cause: ReplicateStatusCause | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A replicate in the journal. ``stage`` is what comes next, ``status`` what the scheduler was told last."""

    task_id: TaskId
    stage: Stage = Stage.START
    status: ReplicateStatus = ReplicateStatus.CREATED
    result: Result | None = None
    contribute_tx: SentTransaction | None = None
    reveal_tx: SentTransaction | None = None
    consensus_block: int = 0
    last_command: int = 0
    """Highest command sequence taken for this replicate."""
    pending: tuple[Command, ...] = ()
    """Commands that were taken (and acknowledged) but have not had their effect yet, oldest first."""

    def but(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    @property
    def result_available(self) -> bool:
        """Whether a result is on disk that can be contributed, revealed or uploaded."""
        return self.result is not None and bool(self.result.digest)

    def to_json(self) -> str:
        """Return the journal's spelling."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the journal's spelling."""
        content: dict[str, Any] = json.loads(text)
        content["stage"] = Stage(content["stage"])
        content["status"] = ReplicateStatus(content["status"])
        content.pop("failed_stage", None)  # earlier versions of the worker kept it
        content["pending"] = tuple(_command(item) for item in content["pending"])
        if content["result"] is not None:
            result = content["result"]
            result["cause"] = result["cause"] and ReplicateStatusCause(result["cause"])
            content["result"] = Result(**result)
        for name in ("contribute_tx", "reveal_tx"):
            if content[name] is not None:
                content[name] = _sent(content[name])
        return cls(**content)


def _sent(content: dict[str, Any]) -> SentTransaction:
    # A journal of an earlier version of the worker knows nothing of replacements.
    content["earlier"] = tuple(content.get("earlier", ()))
    return SentTransaction(**content)


def _command(content: dict[str, Any]) -> Command:
    content["action"] = Action(content["action"])
    content["cause"] = content["cause"] and ReplicateStatusCause(content["cause"])
    return Command(**content)
