"""The invariants catch real mistakes: each planted bug makes some seed of those that CI runs fail."""

import pytest
from workerpool_core.domain import event_context as turn
from workerpool_core.domain.chain import reconciliation
from workerpool_core.domain.decisions import UpdateOutcome
from workerpool_core.domain.dispatch import dispatcher, supply
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Action
from workerpool_core.domain.replicates import consensus_forecast, reports, uploads
from workerpool_core.domain.replicates.replicate_machine import IllegalReplicateTransition
from workerpool_core.domain.tasks import completion, initialization, progress, retries
from workerpool_core.domain.tasks.task_machine import IllegalTaskTransition
from workerpool_core.domain.workers import session_resume, sessions
from workerpool_core.simulation import ledger
from workerpool_core.simulation.invariants import Violation
from workerpool_core.simulation.ledger import StoreConflict
from workerpool_core.simulation.world import World
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

MOST_SEEDS = 2_000
CAUGHT = (Violation, StoreConflict, IllegalTaskTransition, IllegalReplicateTransition)
BUGS = {}


def bug(plant):
    """Register a planted bug under its name; its docstring says what a programmer might have done."""
    BUGS[plant.__name__] = plant
    return plant


@bug
def hands_out_too_many(patch):
    """The forecast of contributions is forgotten."""
    patch.setattr(dispatcher, "wants_more", lambda task, workers, now: True)


@bug
def counts_the_dead_as_living(patch):
    """Replicates that failed still count as contributions to come, for ever."""
    patch.setattr(consensus_forecast, "is_live", lambda replicate, workers: True)
    patch.setattr(consensus_forecast, "pending_until", lambda replicate, task: float("inf"))


@bug
def gives_a_wallet_a_task_twice(patch):
    """A worker that failed may try again."""
    patch.setattr(
        dispatcher,
        "_suits",
        lambda turn, task, wallet: (
            wallet not in task.replicates or consensus_forecast.at_dead_end(task.replicates[wallet])
        ),
    )


@bug
def forgets_slots(patch):
    """A worker counts as having all of its slots free."""
    patch.setattr(dispatcher, "free_slots", lambda turn, worker: 1 if worker.session else 0)


@bug
def ignores_hardware(patch):
    """Any worker gets enclave tasks."""
    patch.setattr(supply.Ability, "can", lambda self, need: True)


@bug
def believes_workers(patch):
    """CONTRIBUTED and REVEALED are stored as reported."""
    patch.setattr(reports, "_BY_CHAIN", ())


@bug
def believes_uploaders(patch):
    """RESULT_UPLOADED is stored as reported, although the proxy may not have the archive."""
    patch.setattr(uploads, "lies_in_proxy", lambda task: False)


@bug
def loses_a_write(patch):
    """One status of a replicate is never written down."""
    original = turn.Turn._write_replicate

    def forgetful(self, replicate, before, changes, fields):
        count = len(self.writes)
        original(self, replicate, before, changes, fields)
        if changes and changes[-1].status is ReplicateStatus.STARTED and len(self.writes) > count:
            self.writes.pop()

    patch.setattr(turn.Turn, "_write_replicate", forgetful)


@bug
def accepts_what_it_does_not_keep(patch):
    """A refused report is answered as if it had been accepted."""

    def lenient(turn, wallet, session, update, reason):
        reports._answer(turn, wallet, session, update, UpdateOutcome.ACCEPTED, Action.CONTINUE)

    patch.setattr(reports, "_refuse", lenient)


@bug
def fails_what_the_chain_goes_on_with(patch):
    """A task that runs is failed by the first look at the chain, whatever the chain says."""
    original = initialization.initialized

    def hasty(turn, task, receipt):
        original(turn, task, receipt)
        if task.status is TaskStatus.RUNNING:
            completion.fail(turn, task, TaskStatus.CONTRIBUTION_TIMEOUT)

    patch.setattr(reconciliation.initialization, "initialized", hasty)


@bug
def forgets_the_final_deadline(patch):
    """Tasks that nobody finishes stay for ever."""
    patch.setattr(reconciliation, "_judge_deadlines", lambda turn, task, chain: None)


@bug
def never_claims(patch):
    """Failed tasks stay open on chain."""
    patch.setattr(completion, "claim", lambda turn, task: None)
    patch.setattr(retries.completion, "claim", lambda turn, task: None)


@bug
def does_not_send_commands_again(patch):
    """A command that went down with a stream is never repeated."""
    original = session_resume.resume

    def careless(turn, worker, held):
        pending, worker.pending = worker.pending, {}
        dropped = original(turn, worker, held)
        worker.pending = pending
        return dropped

    patch.setattr(session_resume, "_order", lambda *args, **options: None)
    patch.setattr(session_resume, "resume", careless)


@bug
def repeats_sequences_of_commands(patch):
    """Sequences of commands start again with every start of core."""
    original = turn.Turn.command

    def from_one(self, wallet, task_id, action, **options):
        now, self.now = self.now, 0.0
        original(self, wallet, task_id, action, **options)
        self.now = now

    patch.setattr(turn.Turn, "command", from_one)
    patch.setattr(sessions, "_raise_floor", lambda turn, worker, event: None)


@bug
def tells_everybody_to_reveal(patch):
    """Losers are told to reveal too."""
    original = turn.Turn.command

    def generous(self, wallet, task_id, action, **options):
        original(self, wallet, task_id, Action.REVEAL if action is Action.ABORT else action, **options)

    patch.setattr(turn.Turn, "command", generous)


@bug
def asks_two_to_upload(patch):
    """Every look at the task asks another worker to upload."""
    patch.setattr(uploads, "_is_on_it", lambda turn, replicate: False)
    patch.setattr(uploads, "_dismiss", lambda turn, task: None)


@bug
def never_finalizes(patch):
    """The result is in, and nobody tells the chain."""
    patch.setattr(progress, "is_finalizable", lambda task, now: False)


@bug
def forgets_transactions_at_a_restart(patch):
    """What was asked of the adapter before core died is not asked again."""
    patch.setattr(retries, "pursue", lambda turn, task: None)


@bug
def brings_ended_tasks_back(patch):
    """What is over is forgotten at once, and a replayed deal creates it anew."""
    original = completion.forget

    def wholly(turn, task_id):
        original(turn, task_id)
        turn.state.ended.discard(task_id)

    patch.setattr(completion, "is_settled", lambda turn, task: True)
    patch.setattr(completion, "forget", wholly)


@bug
def forgets_at_a_restart_what_ended(patch):
    """A finalization that vanishes after core was restarted is not asked for again."""
    patch.setattr(ledger, "is_remembered", lambda task, policy, now, head: not task.ended or task.claim_due)


@bug
def supplies_the_drained(patch):
    """A drained worker still gets work."""

    def untiring(turn, worker):
        rest, worker.drained_until = worker.drained_until, 0.0
        free = original(turn, worker)
        worker.drained_until = rest
        return free

    original = dispatcher.free_slots
    patch.setattr(dispatcher, "free_slots", untiring)


@bug
def ends_with_the_adapters_refusal(patch):
    """A refused finalization fails the task although the first one succeeded."""
    original = retries.answered

    def gullible(turn, event):
        task = turn.state.tasks.get(event.task_id)
        unknown = event.succeeded is not True and event.kind is TransactionKind.FINALIZE
        if task is not None and unknown and task.status is TaskStatus.FINALIZING:
            completion.fail(turn, task, TaskStatus.FINALIZE_FAILED)
        else:
            original(turn, event)

    patch.setattr(retries, "answered", gullible)


@bug
def believes_any_read(patch):
    """A report that waits is confirmed by a read, whatever the read proves."""
    original = reports.proof_by_chain

    def confirming(turn, task, replicate, proven, asked_at):
        original(turn, task, replicate, frozenset(ReplicateStatus), asked_at)

    patch.setattr(reports, "proof_by_chain", confirming)


def first_failing_seed() -> int | None:
    """Only a broken invariant counts: a bug that cannot even run would prove nothing."""
    for seed in range(1, MOST_SEEDS + 1):
        try:
            World(seed).run()
        except CAUGHT:
            return seed
    return None


@pytest.mark.parametrize("plant", BUGS.values(), ids=BUGS.keys())
def test_a_planted_bug_is_caught(plant, monkeypatch):
    plant(monkeypatch)
    assert first_failing_seed() is not None, plant.__doc__


def test_a_seed_is_the_same_every_time():
    def trace():
        lines = []
        World(7, lambda at, what, fields: lines.append((at, what, str(fields.get("wallet"))))).run()
        return lines

    assert trace() == trace()
