"""Refusals are repeated within their session, and only the latest are kept."""

from collections.abc import Callable

from workerpool_core.domain.decisions import AnswerUpdate, UpdateOutcome
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import Update
from workerpool_core.domain.live import LiveWorker, WorkerSession
from workerpool_core.domain.model import Action
from workerpool_core.domain.replicates import answers
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus

Outcomes = list[tuple[int, UpdateOutcome, str]]


def update(sequence: int) -> Update:
    return Update(sequence, TaskId("0x1"), ReplicateStatus.STARTING)


def sent(context: EventContext) -> Outcomes:
    """Return sequence, outcome and reason of the answers so far."""
    found = [effect for effect in context.effects if isinstance(effect, AnswerUpdate)]
    context.effects.clear()
    return [(answer.sequence, answer.outcome, answer.reason) for answer in found]


def test_an_accepted_update_gets_the_next_action(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    add_worker()
    answers.accept(context, "0xW", "0xW/1", update(1), Action.COMPUTE)
    (answer,) = context.effects
    assert answer == AnswerUpdate("0xW", "0xW/1", 1, UpdateOutcome.ACCEPTED, Action.COMPUTE)


def test_a_repeated_update_gets_its_refusal_again(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    answers.refuse(context, "0xW", "0xW/1", update(1), answers.UNPROVEN)
    answers.repeat(context, worker, "0xW/1", update(1))
    answers.repeat(context, worker, "0xW/1", update(2))
    assert sent(context) == [
        (1, UpdateOutcome.REFUSED, answers.UNPROVEN),
        (1, UpdateOutcome.REFUSED, answers.UNPROVEN),
        (2, UpdateOutcome.ALREADY_KNOWN, ""),
    ]


def test_a_refusal_of_an_older_session_is_not_kept_in_the_present_one(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    worker.session = WorkerSession("0xW/2")
    answers.refuse(context, "0xW", "0xW/1", update(1), answers.UNPROVEN)
    assert worker.session.refusals == {}


def test_the_latest_64_refusals_are_kept(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    session = add_worker().session
    assert session is not None
    for sequence in range(1, 66):
        answers.refuse(context, "0xW", "0xW/1", update(sequence), answers.ILLEGAL)
    assert list(session.refusals) == list(range(2, 66))
