"""Execution of the scheduler's effects once their writes are durable; nothing here blocks."""

from collections.abc import Callable
from typing import Any

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId

from workerpool_core.app.chain.task_state_reader import TaskStateReader
from workerpool_core.app.chain.weight_reader import WeightReader
from workerpool_core.app.ports import EnclaveChallenges, ResultChecks, TransactionRequests
from workerpool_core.app.workers.assignments import Assignments
from workerpool_core.app.workers.messages import Commanded, Draining, ShutDown, Welcomed
from workerpool_core.app.workers.sessions import Sessions
from workerpool_core.domain import decisions as d

log = get_logger()


class Effects:
    """The dispatcher of each effect to the component that executes it."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        assignments: Assignments,
        transactions: TransactionRequests,
        reads: TaskStateReader,
        weights: WeightReader,
        results: ResultChecks,
        enclaves: EnclaveChallenges,
        moved: Callable[[TaskId], None],
        assigned: Callable[[TaskId, str], None],
    ) -> None:
        """Wire the components; `moved` receives a changed task, `assigned` a task and its worker."""
        self._sessions = sessions
        self._assignments = assignments
        self._assigned = assigned
        # A table is faster than a match statement: a busy scheduler has tens of thousands of effects per second.
        self._performers: dict[type[d.Effect], Callable[[Any], None]] = {
            d.AnswerUpdate: self._answer,
            d.NotifyWatchers: lambda effect: moved(effect.task_id),
            d.Assign: self._assign,
            d.TaskUnsatisfiable: self._unsatisfiable,
            d.SendCommand: self._command,
            d.Welcome: self._welcome,
            d.SendDrain: self._drain,
            d.CloseSession: self._close,
            d.RequestTransaction: transactions.request,
            d.ReadTask: reads.request,
            d.ReadWeight: weights.request,
            d.CheckResult: results.request,
            d.FindSms: enclaves.request,
            d.RequestEnclaveChallenge: enclaves.request,
        }

    def prepare(self, effect: d.Effect) -> None:
        """Sign an assignment before the durable write, because signing is the slowest part of a dispatch."""
        if type(effect) is d.Assign:
            self._assignments.prepare(effect.wallet, effect.task_id)

    def perform(self, effect: d.Effect) -> None:
        """Execute one effect; drop a message whose stream has ended."""
        self._performers[type(effect)](effect)

    def _unsatisfiable(self, effect: d.TaskUnsatisfiable) -> None:
        if effect.reason:
            log.warning("task.became_unsatisfiable", task=effect.task_id, reason=effect.reason)
        else:
            log.info("task.became_satisfiable", task=effect.task_id)

    def _answer(self, effect: d.AnswerUpdate) -> None:
        if (session := self._sessions.of(effect.wallet, effect.session)) is not None:
            session.send(effect)

    def _command(self, effect: d.SendCommand) -> None:
        command = effect.command
        if (session := self._sessions.of(command.wallet)) is not None:
            assignment = self._assignments.of(command.wallet, command.task_id) if effect.resume else None
            session.send(Commanded(command, assignment))

    def _welcome(self, effect: d.Welcome) -> None:
        if (session := self._sessions.of(effect.wallet, effect.session)) is not None:
            session.send(Welcomed(effect.session, effect.dropped))

    def _drain(self, effect: d.SendDrain) -> None:
        if (session := self._sessions.of(effect.wallet)) is not None:
            session.send(Draining(effect.deadline))

    def _close(self, effect: d.CloseSession) -> None:
        if (session := self._sessions.of(effect.wallet, effect.session)) is not None:
            session.end(ShutDown(effect.reason, effect.message, effect.retry_after_s))

    def _assign(self, effect: d.Assign) -> None:
        wallet, task_id = effect.wallet, effect.task_id
        session = self._sessions.of(wallet)
        assignment = self._assignments.of(wallet, task_id) if session is not None else None
        if session is None or assignment is None:
            return
        session.send(assignment)
        self._assigned(task_id, wallet)
