"""The invariants catch real mistakes: each planted bug makes at least one seed fail."""

from typing import Any

import pytest
import simulation.planted_failures  # noqa: F401 (registers its bugs)
from simulation.core_bugs import BUGS
from simulation.planting import Plant
from simulation.relevance import has_outages, is_sequenced
from workerpool_core.domain import transitions
from workerpool_core.domain.chain import deadlines
from workerpool_core.domain.decisions import UpdateOutcome
from workerpool_core.domain.dispatch import dispatcher, hardware
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import SmsRefused, SmsUnreachable, TransactionAnswered, TransactionKind
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Action, Receipt, Task
from workerpool_core.domain.replicates import (
    acceptance,
    answers,
    consensus_forecast,
    pending_reports,
    uploads,
)
from workerpool_core.domain.replicates.replicate_machine import IllegalReplicateTransition
from workerpool_core.domain.tasks import bags, completion, enclaves, initialization, progress, retries
from workerpool_core.domain.tasks.task_machine import IllegalTaskTransition
from workerpool_core.domain.workers import commands, session_resume, sessions
from workerpool_core.simulation import ledger
from workerpool_core.simulation.checks.violation import Violation
from workerpool_core.simulation.ledger import StoreConflict
from workerpool_core.simulation.world import World
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus

MAX_SEEDS = 2_000
CAUGHT = (Violation, StoreConflict, IllegalTaskTransition, IllegalReplicateTransition)
bug, seen_with = BUGS.bug, BUGS.seen_with


@bug
def assigns_too_many_replicates(patch: pytest.MonkeyPatch) -> None:
    """The forecast of contributions is ignored."""
    patch.setattr(dispatcher, "wants_more", lambda task, workers, now: True)


@bug
def counts_dead_replicates_as_pending(patch: pytest.MonkeyPatch) -> None:
    """Replicates that failed still count as expected contributions, without a time limit."""
    patch.setattr(consensus_forecast, "is_active", lambda replicate, workers: True)
    patch.setattr(consensus_forecast, "expected_until", lambda replicate, task: float("inf"))


@bug
def assigns_a_task_to_a_wallet_twice(patch: pytest.MonkeyPatch) -> None:
    """A worker that failed may try the same task again."""

    def suits(context: EventContext, task: Task, wallet: str) -> bool:
        replicate = task.replicates.get(wallet)
        return replicate is None or consensus_forecast.is_at_dead_end(replicate)

    patch.setattr(dispatcher, "_suits", suits)


@bug
def ignores_used_slots(patch: pytest.MonkeyPatch) -> None:
    """All slots of a worker count as free."""
    patch.setattr(dispatcher, "free_slots", lambda context, live: 1 if live.session is not None else 0)


@bug
def ignores_hardware(patch: pytest.MonkeyPatch) -> None:
    """Any worker gets enclave tasks."""
    patch.setattr(hardware.Capability, "meets", lambda self, requirement: True)


@bug
def trusts_reported_contributions(patch: pytest.MonkeyPatch) -> None:
    """CONTRIBUTED and REVEALED are stored as reported."""
    patch.setattr(acceptance, "PROVEN_BY_CHAIN", ())


@bug
def trusts_reported_uploads(patch: pytest.MonkeyPatch) -> None:
    """RESULT_UPLOADED is stored as reported, although the proxy may not have the archive."""
    patch.setattr(uploads, "goes_to_proxy", lambda task: False)


@bug
def loses_a_write(patch: pytest.MonkeyPatch) -> None:
    """One status of a replicate is never written."""
    original = transitions._write_replicate

    def forgetful(context: EventContext, replicate: Any, before: Any, changes: Any, fields: Any) -> None:
        count = len(context.writes)
        original(context, replicate, before, changes, fields)
        if changes and changes[-1].status is ReplicateStatus.STARTED and len(context.writes) > count:
            context.writes.pop()

    patch.setattr(transitions, "_write_replicate", forgetful)


@bug
def accepts_an_update_without_storing_it(patch: pytest.MonkeyPatch) -> None:
    """A refused report is answered as accepted."""

    def lenient(context: EventContext, wallet: str, session_id: str, update: Any, reason: str) -> None:
        answers._answer(context, wallet, session_id, update, UpdateOutcome.ACCEPTED, Action.CONTINUE)

    patch.setattr(answers, "refuse", lenient)


@bug
def fails_running_tasks_at_the_first_read(patch: pytest.MonkeyPatch) -> None:
    """A running task is failed by the first read of the chain, whatever the read shows."""
    original = initialization.initialized

    def hasty(context: EventContext, task: Task, receipt: Receipt) -> None:
        original(context, task, receipt)
        if task.status is TaskStatus.RUNNING:
            completion.fail(context, task, TaskStatus.CONTRIBUTION_TIMEOUT)

    patch.setattr(initialization, "initialized", hasty)


@bug
def ignores_the_final_deadline(patch: pytest.MonkeyPatch) -> None:
    """Unfinished tasks never end."""
    patch.setattr(deadlines, "judge", lambda context, task, chain, requested_at: None)


@bug
def never_claims(patch: pytest.MonkeyPatch) -> None:
    """Failed tasks stay open on chain."""
    patch.setattr(completion, "claim", lambda context, task: None)


@bug
def never_resends_commands(patch: pytest.MonkeyPatch) -> None:
    """A command that was lost with a stream is not repeated."""
    original = session_resume.resume

    def careless(context: EventContext, worker: LiveWorker, held: Any) -> tuple[str, ...]:
        pending, worker.commands = worker.commands, {}
        dropped = original(context, worker, held)
        worker.commands = pending
        return dropped

    patch.setattr(session_resume, "_send_once", lambda *args, **options: None)
    patch.setattr(session_resume, "resume", careless)


@bug
def restarts_command_sequences(patch: pytest.MonkeyPatch) -> None:
    """The sequences of commands begin again with every start of core."""
    original = commands.send

    def from_one(context: EventContext, *args: Any, **options: Any) -> None:
        now, context.now = context.now, 0.0
        original(context, *args, **options)
        context.now = now

    patch.setattr(commands, "send", from_one)
    patch.setattr(sessions, "_raise_command_sequence", lambda context, live, event: None)


@bug
def asks_losers_to_reveal(patch: pytest.MonkeyPatch) -> None:
    """Losers receive REVEAL instead of ABORT."""
    original = commands.send

    def generous(context: EventContext, wallet: str, task_id: TaskId, action: Action, **options: Any) -> None:
        reveal = Action.REVEAL if action is Action.ABORT else action
        original(context, wallet, task_id, reveal, **options)

    patch.setattr(commands, "send", generous)


@bug
def asks_two_workers_to_upload(patch: pytest.MonkeyPatch) -> None:
    """Every step of the task asks another worker to upload."""
    patch.setattr(uploads, "_is_uploading", lambda context, replicate: False)
    patch.setattr(uploads, "_dismiss_uploader", lambda context, task: None)


@bug
def never_finalizes(patch: pytest.MonkeyPatch) -> None:
    """The result was delivered, but the task is not finalized."""
    patch.setattr(progress, "is_finalizable", lambda task, now: False)


@bug
def forgets_transactions_at_a_restart(patch: pytest.MonkeyPatch) -> None:
    """A transaction requested before core died is not requested again."""
    patch.setattr(retries, "retry", lambda context, task: None)


@bug
def creates_ended_tasks_again(patch: pytest.MonkeyPatch) -> None:
    """A deal is forgotten when one of its tasks leaves the memory, and a replayed block creates the task again."""
    original = completion.evict

    def wholly(context: EventContext, task_id: TaskId) -> None:
        task = context.state.task(task_id)
        original(context, task_id)
        if task is not None and task_id not in context.state.tasks:
            context.state.drop_deal(task.terms.deal_id)

    patch.setattr(completion, "is_settled", lambda context, task: True)
    patch.setattr(completion, "evict", wholly)


@bug
def starts_a_bag_again_at_a_restart(patch: pytest.MonkeyPatch) -> None:
    """The next index of a bag is lost with the process."""
    patch.setattr(ledger.Ledger, "_next_index", lambda _ledger, deal: deal.terms.bot_first)


@bug
def never_refills_a_bag(patch: pytest.MonkeyPatch) -> None:
    """Only the first window of a bag is created."""
    patch.setattr(bags, "refill", lambda context: False)


@bug
def says_nothing_of_unreached_tasks(patch: pytest.MonkeyPatch) -> None:
    """A bag whose contribution deadline passed stays."""
    patch.setattr(bags, "expired", lambda context, deal_id: None)


@bug
def forgets_ended_tasks_at_a_restart(patch: pytest.MonkeyPatch) -> None:
    """A finalization that a reorganisation removes after a restart is not requested again."""
    patch.setattr(ledger, "must_load", lambda task, policy, now, head: not task.ended or task.claim_due)


@bug
def assigns_tasks_to_drained_workers(patch: pytest.MonkeyPatch) -> None:
    """A drained worker still gets work."""
    original = dispatcher.free_slots

    def untiring(context: EventContext, live: LiveWorker) -> int:
        until, live.worker.drained_until = live.worker.drained_until, 0.0
        free = original(context, live)
        live.worker.drained_until = until
        return free

    patch.setattr(dispatcher, "free_slots", untiring)


@bug
def trusts_a_refusal_of_the_adapter(patch: pytest.MonkeyPatch) -> None:
    """A refused finalization fails the task, although an earlier one succeeded."""
    original = retries.answered

    def gullible(context: EventContext, event: TransactionAnswered) -> None:
        task = context.state.task(event.task_id)
        unknown = event.succeeded is not True and event.kind is TransactionKind.FINALIZE
        if task is not None and unknown and task.status is TaskStatus.FINALIZING:
            completion.fail(context, task, TaskStatus.FINALIZE_FAILED)
        else:
            original(context, event)

    patch.setattr(retries, "answered", gullible)


@bug
def confirms_reports_with_any_read(patch: pytest.MonkeyPatch) -> None:
    """A pending report is confirmed by a read, whatever the read proves."""
    original = pending_reports.answered_by_chain

    def confirming(
        context: EventContext, task: Task, replicate: Any, proven: Any, requested_at: float
    ) -> None:
        original(context, task, replicate, frozenset(ReplicateStatus), requested_at)

    patch.setattr(pending_reports, "answered_by_chain", confirming)


@bug
@seen_with(is_sequenced)
def waits_for_a_block_after_a_deadline(patch: pytest.MonkeyPatch) -> None:
    """Deadlines pass only with blocks, which a sequencer makes only for transactions."""
    patch.setattr(EventContext, "chain_time", lambda context, at: context.state.chain_time)


@bug
def claims_only_what_was_initialized(patch: pytest.MonkeyPatch) -> None:
    """The requester of a task that was never initialized is not refunded."""
    original = completion.claim

    def claim(context: EventContext, task: Task) -> None:
        if task.initialization_block:
            original(context, task)

    patch.setattr(completion, "claim", claim)


@bug
def initializes_before_the_sms_is_found(patch: pytest.MonkeyPatch) -> None:
    """An enclave task that no SMS serves costs a transaction."""
    patch.setattr(enclaves, "lacks_sms", lambda task: False)


@bug
@seen_with(has_outages)
def takes_an_sms_that_is_down_for_a_refusal(patch: pytest.MonkeyPatch) -> None:
    """A task ends because its SMS does not answer for a moment."""

    def impatient(context: EventContext, event: SmsUnreachable) -> None:
        refusal = SmsRefused(event.task_id, ReplicateStatusCause.UNKNOWN_SMS, event.message)
        enclaves.sms_refused(context, refusal)

    patch.setattr(enclaves, "sms_unreachable", impatient)


def first_failing_seed(plant: Plant) -> int | None:
    """Return the first seed that violates an invariant; any other exception fails the test itself."""
    for seed in range(1, MAX_SEEDS + 1):
        world = World(seed)
        if not BUGS.may_show(plant, world.environment):
            continue
        try:
            world.run()
        except CAUGHT:
            return seed
    return None


@pytest.mark.parametrize("plant", BUGS.plants.values(), ids=BUGS.plants.keys())
def test_a_planted_bug_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert first_failing_seed(plant) is not None, plant.__doc__


def test_a_seed_is_the_same_every_time() -> None:
    def trace() -> list[tuple[float, str, str]]:
        lines: list[tuple[float, str, str]] = []
        World(7, lambda at, what, fields: lines.append((at, what, str(fields.get("wallet"))))).run()
        return lines

    assert trace() == trace()
