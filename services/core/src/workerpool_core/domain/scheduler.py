"""The scheduler: handles one event at a time and returns the writes and effects that it decides."""

from collections.abc import Mapping
from random import Random

from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain import timeouts
from workerpool_core.domain.chain import blocks, reconciliation
from workerpool_core.domain.decisions import Outcome
from workerpool_core.domain.dispatch import assignment_timeouts, dispatcher, satisfiability
from workerpool_core.domain.dispatch.pool_supply import PoolSupply, pool_supply
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import (
    AssignmentsSent,
    BlockSeen,
    BlocksReverted,
    ChainHealthChanged,
    CommandAcknowledged,
    EnclaveChallengeAnswered,
    Event,
    HeartbeatsReceived,
    ReconcileDue,
    ResultChecked,
    SmsFound,
    SmsRefused,
    SmsUnreachable,
    StatusReported,
    TasksRead,
    Tick,
    TransactionAnswered,
    WeightsRead,
    WhitelistChanged,
    WorkerConnected,
    WorkerDisconnected,
    WorkerDrained,
    WorkerLeft,
    WorkerParked,
    WorkerQuarantined,
    WorkerReleased,
    WorkerUndrained,
)
from workerpool_core.domain.explainer import Explainer
from workerpool_core.domain.explanations.conditions import NO_CONDITIONS, Conditions
from workerpool_core.domain.live import LiveDeal, LiveWorker
from workerpool_core.domain.model import Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.replicates import pending_reports, reports, uploads
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.domain.state import State, TaskView
from workerpool_core.domain.tasks import bags, completion, enclaves, initialization, progress, retries
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import liveness, quarantine, sessions, silence


class Scheduler:
    """Decisions about every live task and worker. It is not thread-safe, and calls must not overlap.

    The chain counts as up until a ChainHealthChanged. `random` chooses among equal candidates.
    """

    def __init__(self, policy: Policy, random: Random, snapshot: Snapshot) -> None:
        self._state = State(policy, random)
        self._state.load(snapshot)
        self._unsaved_deals = snapshot.unsaved_deals
        self._tasks = TaskView(self._state.tasks)

    @property
    def tasks(self) -> Mapping[TaskId, Task]:
        """All tasks in memory by id: those that have not ended, and ended ones until they are evicted. Read-only."""
        return self._tasks

    @property
    def workers(self) -> Mapping[str, LiveWorker]:
        """All registered workers by wallet. Read-only."""
        return self._state.workers

    @property
    def queued_tasks(self) -> int:
        """The number of tasks of known deals that are not created yet, because no worker could serve them."""
        return sum(live.queued for live in self._state.bags.values())

    @property
    def deals(self) -> Mapping[DealId, LiveDeal]:
        """All deals whose contribution deadline has not passed, by id. Read-only."""
        return self._state.deals

    @property
    def waiting_tasks(self) -> int:
        """The number of tasks that wait for a worker."""
        return len(self._state.waiting)

    def explain(self, now: float, conditions: Conditions = NO_CONDITIONS) -> Explainer:
        """Return the reasons of tasks and workers at `now`, while the pool's services are in these conditions."""
        return Explainer(self._state, now, conditions)

    def supply(self, worker_stake: int, now: float) -> PoolSupply:
        """Return the slots at `now` for tasks that each lock `worker_stake` nRLC of their worker."""
        return pool_supply(self._state, now, worker_stake)

    def next_wake(self, now: float) -> float | None:
        """Return when the next Tick is due (Unix seconds, possibly in the past); None when no timer is set."""
        return self._state.timers.next()

    def start(self, now: float) -> Outcome:
        """Set the timers of the loaded tasks and workers, and repeat the requests that a crash may have lost.

        Commands and assignments are sent when their worker connects.
        """
        context = EventContext(self._state, now)
        state = self._state
        state.started_at = now
        for wallet, worker in state.workers.items():
            if not worker.worker.lost:
                state.timers.set(Timeout.LIVENESS, wallet, now + state.policy.liveness_s)
            quarantine.set_timer(context, worker.worker)
        for live in list(state.tasks.values()):
            self._start_task(context, live.task)
        bags.start(context, self._unsaved_deals)
        satisfiability.workers_changed(context)
        return self._settle(context)

    def _start_task(self, context: EventContext, task: Task) -> None:
        context.tasks_to_advance[task.task_id] = None
        context.tasks_to_match[task.task_id] = None
        if task.ended:
            if not task.claim_due:
                completion.retain(context, task)
            context.note_unfollowed(task, task.final_block)
            retries.retry(context, task)
            return
        initialization.set_deadlines(context, task)
        for replicate in task.replicates.values():
            dispatcher.set_contribution_timeout(context, task, replicate)
            silence.observe(context, task, replicate)
            assignment_timeouts.restart(context, replicate)
        if task.status is TaskStatus.RESULT_UPLOADING:
            due = task.upload_requested_at + self._state.policy.upload_timeout_s
            self._state.timers.set(Timeout.UPLOAD, task.task_id, max(context.now, due))
            if uploads.goes_to_proxy(task):
                uploads.check(context, task)
        retries.retry(context, task)

    def handle(self, event: Event, now: float) -> Outcome:
        """Return the writes and effects of an event that happened at `now` (Unix seconds)."""
        context = EventContext(self._state, now)
        self._handle(context, event)
        return self._settle(context)

    def _settle(self, context: EventContext) -> Outcome:
        """Advance every changed task as far as possible, dispatch, and create the tasks that can be served now."""
        self._advance_all(context)
        if context.tasks_to_match or context.workers_to_match:
            dispatcher.dispatch(context)
        if self._state.refills and bags.refill(context):
            # New tasks await their initialization, so there is nothing to dispatch.
            self._advance_all(context)
        return context.outcome()

    def _advance_all(self, context: EventContext) -> None:
        state = self._state
        while context.tasks_to_advance:
            task_ids, context.tasks_to_advance = context.tasks_to_advance, {}
            for task_id in task_ids:
                live = state.tasks.get(task_id)
                if live is None:
                    continue
                task = live.task
                if task.ended:
                    completion.evict_early(context, task)
                else:
                    progress.advance(context, task)
                if live.pending_reports:
                    for wallet in task.replicates:
                        pending_reports.resume_if_settled(context, task, wallet)

    def _handle(self, context: EventContext, event: Event) -> None:
        match event:
            case StatusReported():
                reports.reported(context, event)
            case HeartbeatsReceived():
                liveness.heartbeats(context, event)
            case AssignmentsSent():
                assignment_timeouts.sent(context, event)
            case WeightsRead():
                sessions.weights_read(context, event)
            case CommandAcknowledged():
                sessions.acknowledged(context, event)
            case BlockSeen():
                blocks.seen(context, event)
            case BlocksReverted():
                blocks.reverted(context, event)
            case TasksRead(reads):
                for read in reads:
                    reconciliation.reconcile(context, read)
            case TransactionAnswered():
                retries.answered(context, event)
            case ResultChecked():
                self._result_checked(context, event)
            case SmsFound():
                enclaves.sms_found(context, event)
            case EnclaveChallengeAnswered():
                enclaves.challenge_answered(context, event)
            case SmsRefused():
                enclaves.sms_refused(context, event)
            case SmsUnreachable():
                enclaves.sms_unreachable(context, event)
            case WorkerConnected():
                sessions.connected(context, event)
            case WorkerDisconnected():
                sessions.disconnected(context, event)
            case WorkerParked():
                sessions.parked(context, event)
            case WorkerLeft():
                liveness.left(context, event)
            case WorkerDrained():
                quarantine.drained(context, event)
            case WhitelistChanged(wallets):
                sessions.whitelist_changed(context, wallets)
            case WorkerUndrained(wallet):
                quarantine.undrained(context, wallet)
            case WorkerQuarantined():
                quarantine.quarantined(context, event)
            case WorkerReleased(wallet):
                quarantine.released(context, wallet)
            case ChainHealthChanged():
                self._state.chain = event
                context.workers_to_match.update(dict.fromkeys(self._state.workers))
            case Tick():
                for key in self._state.timers.take_due(context.now):
                    timeouts.fire(context, key)
            case ReconcileDue():
                self._reconcile_all(context)

    def _result_checked(self, context: EventContext, event: ResultChecked) -> None:
        task = self._state.task(event.task_id)
        # An unanswered check is retried by a timer.
        if task is not None and event.stored is not None:
            pending_reports.answered_by_proxy(context, task, event.stored)
            uploads.checked(context, task, event)

    def _reconcile_all(self, context: EventContext) -> None:
        """Read every live task, and the weight of every worker whose gas balance or stake may have changed."""
        waits_for_stake = self._state.waiting.paid > 0
        for wallet, worker in self._state.workers.items():
            # Skip idle workers: the weight of a worker with gas and without tasks does not change.
            wants_stake = waits_for_stake and (worker.lacks_stake or not worker.has_stake)
            is_idle = worker.weight > 0 and not worker.held and not wants_stake
            if worker.session is not None and not is_idle:
                context.read_weight(wallet)
        for live in list(self._state.tasks.values()):
            task = live.task
            if not task.ended:
                context.read_task(task)
                context.tasks_to_advance[task.task_id] = None
            retries.retry(context, task)
