"""The journal of a simulated worker."""

from workerpool_core.domain.events import Update
from workerpool_core.simulation.worker.journal import Entry, Journal
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus

TASK, OTHER = TaskId("0x1"), TaskId("0x2")


def test_an_entry_counts_until_it_ends_or_is_replaced() -> None:
    entry = Entry(TASK, caf=False)
    journal = Journal(entries={TASK: entry})
    assert journal.has(entry)
    entry.ended = True
    assert not journal.has(entry)
    journal.entries[TASK] = Entry(TASK, caf=False)
    assert not journal.has(Entry(TASK, caf=False))


def test_a_dropped_replicate_takes_its_updates_with_it() -> None:
    outbox = {n: Update(n, task, ReplicateStatus.STARTING) for n, task in ((1, TASK), (2, OTHER))}
    journal = Journal(entries={TASK: Entry(TASK, caf=False)}, outbox=outbox)
    journal.drop(TASK)
    assert (journal.entries, list(journal.outbox)) == ({}, [2])
