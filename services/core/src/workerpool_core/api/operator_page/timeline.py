"""The timeline of a task: its statuses, the replicates of its workers and the pool's transactions, by time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from workerpool_core.api.operator_page.formatting import Moment, moment, span
from workerpool_core.api.operator_page.reasons import ShownReason, sentence, shown
from workerpool_core.app.ports import TransactionCommand
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.replicates import explain_replicate
from workerpool_core.domain.model import Receipt, Replicate, Task

_FAILURE = "FAILURE"


class Entry(NamedTuple):
    """One event of a timeline.

    `subject` is `task`, `worker` or `transaction`; `wallet` and, for operators, `name` identify the worker. `after` is
    the time since the first event. `block` is 0 and `transaction` empty when unknown.
    """

    at: Moment | None
    after: str
    subject: str
    wallet: str
    name: str
    what: str
    cause: str
    reason: ShownReason | None
    block: int
    transaction: str


class _Event(NamedTuple):
    seconds: float
    order: int
    subject: str
    what: str
    reason: ShownReason | None = None
    wallet: str = ""
    cause: str = ""
    receipt: Receipt | None = None


def timeline_of(
    task: Task,
    explained: Sequence[Explanation | None],
    commands: Sequence[TransactionCommand],
    names: Mapping[str, str],
    now: float,
    *,
    for_operator: bool,
) -> list[Entry]:
    """Return the events of a task by time, oldest first.

    `explained` explains each entry of the task's history, `names` are names of workers by wallet. Anonymous visitors
    see the transactions of `GET /tasks/{id}`: none of workers, and no block without its transaction.
    """
    events = [
        _Event(change.date, 0, "task", change.status.value, shown(why, now), receipt=change.receipt)
        for change, why in zip(task.history, explained, strict=True)
    ]
    for replicate in task.replicates.values():
        events += _of_worker(task, replicate, now, with_receipts=for_operator)
    for command in commands:
        events += _of_transaction(command)
    events.sort(key=lambda event: (event.seconds, event.order))
    start = events[0].seconds
    return [_entry(event, start, names.get(event.wallet, ""), now, for_operator) for event in events]


def _entry(event: _Event, start: float, name: str, now: float, for_operator: bool) -> Entry:
    receipt = event.receipt
    known = receipt is not None and (for_operator or receipt.transaction)
    return Entry(
        moment(event.seconds, now),
        f"+{span(event.seconds - start)}",
        event.subject,
        event.wallet,
        name,
        event.what,
        event.cause,
        event.reason,
        receipt.block if receipt is not None and known else 0,
        receipt.transaction if receipt is not None else "",
    )


def _of_worker(task: Task, replicate: Replicate, now: float, *, with_receipts: bool) -> Iterator[_Event]:
    for change, why in zip(replicate.history, explain_replicate(task, replicate), strict=True):
        yield _Event(
            change.date,
            2,
            "worker",
            change.status.value,
            shown(why, now),
            replicate.wallet,
            change.cause.value if change.cause is not None else "",
            change.receipt if with_receipts else None,
        )


def _of_transaction(command: TransactionCommand) -> Iterator[_Event]:
    yield _Event(command.created_at, 1, "transaction", f"{command.kind} requested")
    if command.updated_at <= command.created_at:
        return
    reason = None
    if command.state == _FAILURE:
        reason = ShownReason(
            sentence(command.message or "the transaction failed"), "pool", cause=command.reason
        )
    receipt = Receipt(command.block, command.transaction) if command.transaction else None
    yield _Event(
        command.updated_at, 1, "transaction", f"{command.kind} {command.state}", reason, receipt=receipt
    )
