"""The invariants catch real mistakes: each planted bug makes some seed of those that CI runs fail."""

import pytest
from workerpool_core.domain import (
    dispatch,
    ending,
    forecast,
    initialization,
    progress,
    pursuit,
    reads,
    recovery,
    reports,
    sessions,
    supply,
    turn,
    uploads,
)
from workerpool_core.domain.decisions import UpdateOutcome
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Action
from workerpool_core.simulation import ledger
from workerpool_core.simulation.world import World
from workerpool_poco.statuses import ReplicateStatus, TaskStatus

MOST_SEEDS = 2_000
BUGS = {}


def bug(plant):
    """Register a planted bug under its name; its docstring says what a programmer might have done."""
    BUGS[plant.__name__] = plant
    return plant


@bug
def hands_out_too_many(patch):
    """The forecast of contributions is forgotten."""
    patch.setattr(dispatch, "wants_more", lambda task, workers, now: True)


@bug
def counts_the_dead_as_living(patch):
    """Replicates that failed still count as contributions to come, for ever."""
    patch.setattr(forecast, "is_live", lambda replicate, workers: True)
    patch.setattr(forecast, "pending_until", lambda replicate, task: float("inf"))


@bug
def gives_a_wallet_a_task_twice(patch):
    """A worker that failed may try again."""
    patch.setattr(
        dispatch,
        "_suits",
        lambda turn, task, wallet: (
            wallet not in task.replicates or forecast.at_dead_end(task.replicates[wallet])
        ),
    )


@bug
def forgets_slots(patch):
    """A worker counts as having all of its slots free."""
    patch.setattr(dispatch, "free_slots", lambda turn, worker: 1 if worker.session else 0)


@bug
def ignores_hardware(patch):
    """Any worker gets enclave tasks."""
    patch.setattr(supply.Ability, "can", lambda self, need: True)


@bug
def believes_workers(patch):
    """CONTRIBUTED and REVEALED are stored as reported."""
    patch.setattr(reports, "_BY_CHAIN", ())


@bug
def trusts_what_was_not_followed(patch):
    """A fact from a block that the follower has not reached yet is never looked at again."""
    patch.setattr(turn.Turn, "heard_of", lambda self, task, block, kind=None: None)


@bug
def believes_old_answers(patch):
    """What succeeded before a reorganisation counts as done after it."""
    patch.setattr(turn.Turn, "in_doubt", property(lambda self: False))


@bug
def believes_uploaders(patch):
    """RESULT_UPLOADED is stored although the proxy does not have the archive."""
    patch.setattr(uploads, "lies_in_proxy", lambda task: False)
    original = uploads._candidates

    def eager(turn, task):
        for replicate in original(turn, task):
            turn.move_replicate(replicate, ReplicateStatus.RESULT_UPLOAD_REQUESTED)
            turn.move_replicate(replicate, ReplicateStatus.RESULT_UPLOADING)
            turn.move_replicate(replicate, ReplicateStatus.RESULT_UPLOADED, result_link="x")
        return []

    patch.setattr(uploads, "_candidates", eager)


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
def fails_without_asking_the_chain(patch):
    """The contribution deadline is judged by the record alone."""
    original = initialization.initialized

    def hasty(turn, task, receipt):
        original(turn, task, receipt)
        if task.status is TaskStatus.RUNNING and turn.now > task.terms.start_time:
            ending.fail(turn, task, TaskStatus.CONTRIBUTION_TIMEOUT)

    patch.setattr(reads.initialization, "initialized", hasty)


@bug
def forgets_the_final_deadline(patch):
    """Tasks that nobody finishes stay for ever."""
    patch.setattr(reads, "_judge_deadlines", lambda turn, task, chain, asked_at: None)


@bug
def never_claims(patch):
    """Failed tasks stay open on chain."""
    patch.setattr(ending, "claim", lambda turn, task: None)
    patch.setattr(pursuit.ending, "claim", lambda turn, task: None)


@bug
def does_not_send_commands_again(patch):
    """A command that went down with a stream is never repeated."""

    def careless(turn, worker, held):
        worker.pending, kept = {}, worker.pending
        original(turn, worker, ())
        worker.pending.update(kept)
        return ()

    original = recovery.resume
    patch.setattr(recovery, "_order", lambda *args, **options: None)
    patch.setattr(sessions.recovery, "resume", careless)


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
    patch.setattr(pursuit, "pursue", lambda turn, task: None)


@bug
def brings_ended_tasks_back(patch):
    """A replayed deal creates its ended tasks anew."""
    patch.setattr(ending, "retain", lambda turn, task: turn.state.tasks.pop(task.task_id, None))


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

    original = dispatch.free_slots
    patch.setattr(dispatch, "free_slots", untiring)


@bug
def ends_with_the_adapters_refusal(patch):
    """A refused finalization fails the task although the first one succeeded."""
    original = pursuit.answered

    def gullible(turn, event):
        task = turn.state.tasks.get(event.task_id)
        unknown = event.succeeded is not True and event.kind is TransactionKind.FINALIZE
        if task is not None and unknown and task.status is TaskStatus.FINALIZING:
            ending.fail(turn, task, TaskStatus.FINALIZE_FAILED)
        else:
            original(turn, event)

    patch.setattr(pursuit, "answered", gullible)


@bug
def ignores_consensus_of_reads(patch):
    """A report that waits is confirmed without looking at what was proven."""

    def confirming(turn, task, replicate, proven):
        if (task.task_id, replicate.wallet) in turn.state.parked:
            reports.confirm(turn, task, replicate)

    patch.setattr(reads.reports, "proof_by_chain", confirming)


def first_failing_seed() -> int | None:
    for seed in range(1, MOST_SEEDS + 1):
        try:
            World(seed).run()
        except Exception:
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
