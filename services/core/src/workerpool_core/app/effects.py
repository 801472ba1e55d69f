"""Carries out what the scheduler decided, once it is durable. Nothing here waits."""

from collections.abc import Callable

from workerpool_kit.logs import get_logger

from workerpool_core.app.adapter import AdapterClient
from workerpool_core.app.assignments import Assignments
from workerpool_core.app.chain_reads import TaskReads
from workerpool_core.app.enclaves import EnclaveChallenges
from workerpool_core.app.messages import Answered, Commanded, Draining, ShutDown, Welcomed
from workerpool_core.app.result_check import ResultCheck
from workerpool_core.app.sessions import Sessions
from workerpool_core.domain import decisions as d

log = get_logger()


class Effects:
    """Hands each effect to whoever carries it out."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        assignments: Assignments,
        adapter: AdapterClient,
        reads: TaskReads,
        results: ResultCheck,
        enclaves: EnclaveChallenges,
        moved: Callable[[str], None],
        assigned: Callable[[str, str], None],
    ) -> None:
        """Prepare; `moved` is told of a changed task, `assigned` of a task and worker whose assignment left."""
        self._sessions = sessions
        self._assignments = assignments
        self._adapter = adapter
        self._reads = reads
        self._results = results
        self._enclaves = enclaves
        self._moved = moved
        self._assigned = assigned

    def perform(self, effect: d.Effect) -> None:
        """Carry out one effect; what concerns a stream that has ended meanwhile is dropped."""
        match effect:
            case d.AnswerUpdate(wallet, session_id, sequence, outcome, action, reason, message):
                if (session := self._sessions.of(wallet, session_id)) is not None:
                    session.send(Answered(sequence, outcome, action, reason, message))
            case d.TaskMoved(task_id):
                self._moved(task_id)
            case d.Assign(wallet, task_id):
                self._assign(wallet, task_id)
            case d.SendCommand(command, resume):
                if (session := self._sessions.of(command.wallet)) is not None:
                    assignment = self._assignments.of(command.wallet, command.task_id) if resume else None
                    session.send(Commanded(command, assignment))
            case d.Welcome(wallet, session_id, dropped):
                if (session := self._sessions.of(wallet, session_id)) is not None:
                    session.send(Welcomed(session_id, dropped))
            case d.SendDrain(wallet, deadline):
                if (session := self._sessions.of(wallet)) is not None:
                    session.send(Draining(deadline))
            case d.CloseSession(wallet, session_id, reason, message, retry_after_s):
                if (session := self._sessions.of(wallet, session_id)) is not None:
                    session.end(ShutDown(reason, message, retry_after_s))
            case d.RequestTransaction():
                self._adapter.request(effect)
            case d.ReadTask():
                self._reads.request(effect)
            case d.CheckResult():
                self._results.request(effect)
            case d.AskEnclaveChallenge():
                self._enclaves.request(effect)

    def _assign(self, wallet: str, task_id: str) -> None:
        session = self._sessions.of(wallet)
        assignment = self._assignments.of(wallet, task_id) if session is not None else None
        if session is None or assignment is None:
            return
        session.send(assignment)
        self._assigned(task_id, wallet)
