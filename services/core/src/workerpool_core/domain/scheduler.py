"""The scheduler: told what happened and when, it says what to write down and what to do."""

from collections.abc import Mapping
from random import Random

from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain import timeouts
from workerpool_core.domain.chain import blocks, reconciliation
from workerpool_core.domain.decisions import Outcome
from workerpool_core.domain.dispatch import dispatcher
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import (
    BlockSeen,
    BlocksReverted,
    ChainHealthChanged,
    CommandAcked,
    EnclaveChallengeAnswered,
    Event,
    ReconcileDue,
    ResultChecked,
    StatusReported,
    TaskRead,
    Tick,
    TransactionAnswered,
    WorkerConnected,
    WorkerDisconnected,
    WorkerDrained,
    WorkerReleased,
    WorkersBeat,
    WorkersWeighed,
    WorkerUndrained,
)
from workerpool_core.domain.model import Task, Worker
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.replicates import reports, uploads
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.domain.state import State
from workerpool_core.domain.tasks import completion, initialization, progress, retries
from workerpool_core.domain.timers import Alarm
from workerpool_core.domain.workers import quarantine, sessions


class Scheduler:
    """Decides for every live task and every worker. Not thread-safe; no call may overlap another.

    The chain counts as up until ChainHealthChanged says otherwise. `random` chooses among equals.
    """

    def __init__(self, policy: Policy, random: Random, snapshot: Snapshot) -> None:
        self._state = State(policy, random)
        self._state.take(snapshot)

    @property
    def tasks(self) -> Mapping[str, Task]:
        """Live tasks by id, and ended ones for a while; not to be changed."""
        return self._state.tasks

    @property
    def workers(self) -> Mapping[str, Worker]:
        """Every worker by wallet; not to be changed."""
        return self._state.workers

    def busy(self, wallet: str) -> frozenset[str]:
        """Return the tasks that take a computing slot of a worker."""
        return frozenset(self._state.busy.get(wallet, ()))

    def held(self, wallet: str) -> frozenset[str]:
        """Return the tasks whose replicates a worker still works on."""
        return frozenset(self._state.held.get(wallet, ()))

    def next_wake(self, now: float) -> float | None:
        """Return when Tick is due (Unix seconds, maybe past); None when nothing waits for time."""
        return self._state.timers.next()

    def start(self, now: float) -> Outcome:
        """Take up every task and worker of the snapshot: set the alarms, ask for what a crash may have lost.

        Commands and assignments wait for their worker's Hello.
        """
        turn = Turn(self._state, now)
        state = self._state
        state.started_at = now
        for worker in state.workers.values():
            if not worker.lost:
                state.timers.set(Alarm.LIVENESS, worker.wallet, now + state.policy.liveness_s)
            quarantine.arm(turn, worker)
        for task in list(state.tasks.values()):
            turn.touched[task.task_id] = None
            turn.reshelve[task.task_id] = None
            if task.ended:
                if not task.claim_due:
                    completion.retain(turn, task)
                turn.heard_of(task, task.final_block)
                retries.pursue(turn, task)
                continue
            initialization.arm_deadlines(turn, task)
            for replicate in task.replicates.values():
                dispatcher.arm_pending(turn, task, replicate)
            if task.status is TaskStatus.RESULT_UPLOADING:
                due = task.upload_requested_at + state.policy.upload_timeout_s
                state.timers.set(Alarm.UPLOAD, task.task_id, max(now, due))
                if uploads.lies_in_proxy(task):
                    uploads.check(turn, task)
            retries.pursue(turn, task)
        return self._settle(turn)

    def handle(self, event: Event, now: float) -> Outcome:
        """Decide what an event leads to."""
        turn = Turn(self._state, now)
        self._take(turn, event)
        return self._settle(turn)

    def _settle(self, turn: Turn) -> Outcome:
        """Let every touched task take the steps that are due, then hand out work."""
        state = self._state
        while turn.touched:
            touched, turn.touched = turn.touched, {}
            for task_id in touched:
                task = state.tasks.get(task_id)
                if task is None:
                    continue
                if task.ended:
                    completion.forget_early(turn, task)
                else:
                    progress.advance(turn, task)
                if state.parked:
                    for wallet in task.replicates:
                        reports.release(turn, task_id, wallet)
        if turn.reshelve or turn.recount:
            dispatcher.serve(turn)
        return turn.outcome()

    def _take(self, turn: Turn, event: Event) -> None:
        state = self._state
        match event:
            case StatusReported():
                reports.reported(turn, event)
            case WorkersBeat():
                sessions.beat(turn, event)
            case WorkersWeighed():
                sessions.weighed(turn, event)
            case CommandAcked():
                sessions.acked(turn, event)
            case BlockSeen():
                blocks.seen(turn, event)
            case BlocksReverted():
                blocks.reverted(turn, event)
            case TaskRead():
                reconciliation.read(turn, event)
            case TransactionAnswered():
                retries.answered(turn, event)
            case ResultChecked():
                self._result_checked(turn, event)
            case EnclaveChallengeAnswered(task_id, challenge, sms_url):
                if (task := state.tasks.get(task_id)) is not None:
                    initialization.challenge_answered(turn, task, challenge, sms_url)
            case WorkerConnected():
                sessions.connected(turn, event)
            case WorkerDisconnected():
                sessions.disconnected(turn, event)
            case WorkerDrained():
                sessions.drained(turn, event)
            case WorkerUndrained(wallet):
                sessions.undrained(turn, wallet)
            case WorkerReleased(wallet):
                sessions.released(turn, wallet)
            case ChainHealthChanged(up):
                state.chain_up = up
                turn.recount.update(dict.fromkeys(state.workers))
            case Tick():
                for key in state.timers.take_due(turn.now):
                    timeouts.ring(turn, key)
            case ReconcileDue():
                self._reconcile(turn)

    def _result_checked(self, turn: Turn, event: ResultChecked) -> None:
        task = self._state.tasks.get(event.task_id)
        if task is None or event.stored is None:
            # Whoever waits asks again: an alarm is set.
            return
        reports.proof_by_proxy(turn, task, event.stored)
        if task.status is TaskStatus.RESULT_UPLOADING:
            if event.stored:
                uploads.stored(turn, task, event.result_link)
            elif uploads.is_overdue(turn, task):
                uploads.replace(turn, task)

    def _reconcile(self, turn: Turn) -> None:
        for worker in self._state.workers.values():
            # His work may have used up his gas, or somebody gave him some. Those who rest change nothing by it: to read
            # thousands of them again and again would cost more than all that they say.
            is_idle = self._state.weights.get(worker.wallet, 0) > 0 and not self._state.held.get(
                worker.wallet
            )
            if worker.session and not is_idle:
                turn.weigh(worker.wallet)
        for task in list(self._state.tasks.values()):
            if not task.ended:
                turn.read(task)
                turn.touched[task.task_id] = None
            retries.pursue(turn, task)
