"""Carries out what the scheduler decided, once it is durable. Nothing here waits."""

from collections.abc import Callable
from typing import Any

from workerpool_kit.logs import get_logger

from workerpool_core.adapters.grpc.chain_adapter import AdapterClient
from workerpool_core.adapters.grpc.result_proxy import ResultCheck
from workerpool_core.adapters.grpc.sms import EnclaveChallenges
from workerpool_core.app.chain.chain_reads import TaskReads, Weights
from workerpool_core.app.workers.assignments import Assignments
from workerpool_core.app.workers.messages import Commanded, Draining, ShutDown, Welcomed
from workerpool_core.app.workers.sessions import Sessions
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
        weights: Weights,
        results: ResultCheck,
        enclaves: EnclaveChallenges,
        moved: Callable[[str], None],
        assigned: Callable[[str, str], None],
    ) -> None:
        """Prepare; `moved` is told of a changed task, `assigned` of a task and worker whose assignment left."""
        self._sessions = sessions
        self._assignments = assignments
        self._assigned = assigned
        # A table and not a match statement: a busy scheduler has tens of thousands of effects in a second.
        self._performers: dict[type[d.Effect], Callable[[Any], None]] = {
            d.AnswerUpdate: self._answer,
            d.TaskMoved: lambda effect: moved(effect.task_id),
            d.Assign: self._assign,
            d.SendCommand: self._command,
            d.Welcome: self._welcome,
            d.SendDrain: self._drain,
            d.CloseSession: self._close,
            d.RequestTransaction: adapter.request,
            d.ReadTask: reads.request,
            d.ReadWeight: weights.request,
            d.CheckResult: results.request,
            d.AskEnclaveChallenge: enclaves.request,
        }

    def prepare(self, effect: d.Effect) -> None:
        """Do what can be done before an effect is certain: sign an assignment, the slowest part of a dispatch."""
        if type(effect) is d.Assign:
            self._assignments.prepare(effect.wallet, effect.task_id)

    def perform(self, effect: d.Effect) -> None:
        """Carry out one effect; what concerns a stream that has ended meanwhile is dropped."""
        self._performers[type(effect)](effect)

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
