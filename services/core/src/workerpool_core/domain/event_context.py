"""The context of one event: the writes and effects that its handling collects, at one time."""

from workerpool_poco.protocol.deadlines import chain_time
from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.decisions import (
    Effect,
    NotifyWatchers,
    Outcome,
    ReadTask,
    ReadWeight,
    RequestTransaction,
    Write,
)
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.live import LiveTask, UnfollowedChange
from workerpool_core.domain.model import Task
from workerpool_core.domain.state import State
from workerpool_core.domain.timers import Timeout


class EventContext:
    """Writes and effects of one event, handled at the time `now` (Unix seconds).

    `tasks_to_advance` are the tasks whose next step is decided before the handling ends. `tasks_to_match` are those
    that may need another number of workers, `workers_to_match` those that may have another number of free slots.
    Watchers of `changed_tasks` are notified. All four are ordered sets. `created_tasks` counts the new tasks.
    """

    __slots__ = (
        "changed_tasks",
        "created_tasks",
        "effects",
        "now",
        "state",
        "tasks_to_advance",
        "tasks_to_match",
        "workers_to_match",
        "writes",
    )

    def __init__(self, state: State, now: float) -> None:
        self.state = state
        self.now = now
        self.writes: list[Write] = []
        self.effects: list[Effect] = []
        self.tasks_to_advance: dict[TaskId, None] = {}
        self.tasks_to_match: dict[TaskId, None] = {}
        self.workers_to_match: dict[str, None] = {}
        self.changed_tasks: dict[TaskId, None] = {}
        self.created_tasks = 0

    def outcome(self) -> Outcome:
        """Return the collected writes and effects."""
        self.effects.extend(map(NotifyWatchers, self.changed_tasks))
        return Outcome(self.writes, self.effects)

    def live(self, task: Task) -> LiveTask:
        """Return the live task that holds a task."""
        return self.state.tasks[task.task_id]

    @property
    def recently_reorganised(self) -> bool:
        """Whether a reorganisation is so recent that answers may still describe the chain before it."""
        return self.now < self.state.reverted_at + self.state.policy.reorganisation_doubt_s

    def chain_time(self, at: float) -> float:
        """Return the chain's time at `at` (Unix seconds); no later block has an earlier timestamp.

        A sequencer makes blocks only for transactions, so the clock counts between blocks.
        """
        return chain_time(int(self.state.chain_time), at)

    def read_task(self, task: Task) -> None:
        """Read a task and its contributions from the chain, with retries."""
        self.effects.append(ReadTask(task.task_id, tuple(task.replicates), self.now))
        self.state.timers.set(Timeout.READ, task.task_id, self.now + self.state.policy.read_timeout_s)

    def note_unfollowed(self, task: Task, block: int, kind: TransactionKind | None = None) -> None:
        """Record a change on chain in a block, at most `block`, that core has not followed yet.

        A reorganisation may remove that block before it is followed, without a BlocksReverted. So the task is read
        again once the block is followed, unless the log of `kind` shows the change first. `kind` is None when more
        than one transaction may be involved.
        """
        if block <= self.state.head:
            return
        live = self.live(task)
        known = live.unfollowed or UnfollowedChange(block, kind)
        live.unfollowed = UnfollowedChange(max(known.block, block), kind if kind is known.kind else None)
        self.state.unfollowed[task.task_id] = None

    def read_weight(self, wallet: str) -> None:
        """Read a worker's contribution weight from the chain."""
        self.effects.append(ReadWeight(wallet))

    def read_contributor_weights(self, task: Task) -> None:
        """Read the weights of a task's connected contributors.

        The end or reopening of a task changes their scores (core spec §6.1).
        """
        contributors = [r.wallet for r in task.replicates.values() if r.contribution_hash]
        for wallet in contributors:
            if self.state.workers[wallet].session is not None:
                self.read_weight(wallet)

    def note_service_problem(self, task: Task, problem: Explanation) -> None:
        """Record why a service that a task waits for did not answer, until the task gets another status."""
        live = self.live(task)
        if live.service_problem != problem:
            live.service_problem = problem
            self.changed_tasks[task.task_id] = None

    def request_transaction(self, kind: TransactionKind, task: Task) -> None:
        """Request a transaction from the chain adapter; requesting it twice is harmless."""
        link, data = (task.result_link, task.callback_data) if kind is TransactionKind.FINALIZE else ("", "")
        self.effects.append(
            RequestTransaction(kind, task.task_id, task.terms.deal_id, task.index, link, data)
        )
