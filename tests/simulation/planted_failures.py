"""Planted bugs of failing apps: who is blamed, what is contributed."""

import pytest
from simulation.core_bugs import BUGS
from simulation.relevance import has_failing_app, has_large_app, has_liar, has_slow_app, refunds_failures
from workerpool_core.domain.chain import chain_evidence
from workerpool_core.domain.dispatch import eligibility
from workerpool_core.domain.replicates import consensus_forecast, error_results
from workerpool_core.domain.workers import quarantine, session_resume, silence

bug, seen_with = BUGS.bug, BUGS.seen_with


@bug
@seen_with(has_liar)
def contributes_the_first_failure(patch: pytest.MonkeyPatch) -> None:
    """One worker decides that an app failed, although another could try it."""
    patch.setattr(error_results, "is_settled", lambda failures, trust, *, another_may_try: True)


@bug
@seen_with(has_failing_app)
def waits_for_a_confirmation_without_end(patch: pytest.MonkeyPatch) -> None:
    """An error result waits for another worker, although there is none."""
    patch.setattr(error_results, "_another_may_try", lambda context, task: True)


@bug
@seen_with(has_failing_app)
def counts_an_undecided_error_result_as_pending(patch: pytest.MonkeyPatch) -> None:
    """The task is not given to another worker while an error result waits."""
    patch.setattr(consensus_forecast, "awaits_decision", lambda replicate: False)


@bug
@seen_with(has_liar)
def contributes_an_error_result_at_a_reconnection(patch: pytest.MonkeyPatch) -> None:
    """A worker that returns with an error result is commanded to contribute it like any result."""
    patch.setattr(session_resume, "failure_of", lambda replicate: None)


@bug
@seen_with(refunds_failures)
def contributes_failures_although_turned_off(patch: pytest.MonkeyPatch) -> None:
    """The setting for error results is ignored."""
    patch.setattr(error_results, "_is_contributable", lambda context, task: True)


@bug
@seen_with(refunds_failures)
def keeps_failing_tasks_open_when_turned_off(patch: pytest.MonkeyPatch) -> None:
    """A task whose failure is settled waits for its deadline."""
    patch.setattr(error_results, "_end_without_result", lambda context, task: None)


@bug
def quarantines_for_every_cause(patch: pytest.MonkeyPatch) -> None:
    """A worker is blamed for failures of the requester, the pool and the chain."""
    patch.setattr(quarantine, "counts", lambda cause, *, before_deadline: True)


@bug
@seen_with(has_slow_app)
def calls_slow_workers_silent(patch: pytest.MonkeyPatch) -> None:
    """An app that takes its whole time is taken for a silent worker."""
    patch.setattr(silence, "_due", lambda context, task, replicate: replicate.history[-1].date + 5.0)


@bug
@seen_with(has_large_app)
def tries_large_apps_in_any_slot(patch: pytest.MonkeyPatch) -> None:
    """An app that ran out of memory is tried again in a slot of the same size."""
    patch.setattr(eligibility, "insufficient_memory", lambda workers, task: 0)


@bug
def forgets_what_the_result_stands_for(patch: pytest.MonkeyPatch) -> None:
    """A task that completed with an error result looks like a success."""
    patch.setattr(chain_evidence, "failure_of", lambda replicate: None)
