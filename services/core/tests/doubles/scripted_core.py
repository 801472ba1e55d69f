"""A scheduler with a ledger and a clock that a test controls."""

from random import Random
from typing import TypeVar

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.simulation.ledger import Ledger
from workerpool_poco.protocol.ids import TaskId

E = TypeVar("E")
START = 1_000_000.0


def wallet(number: int) -> str:
    """Return the wallet of a worker."""
    return f"0xWorker{number}"


class ScriptedCore:
    """Handles events, applies their writes to the ledger and keeps their effects.

    Workers are numbered; `wallet` gives the wallet of a number. `effects` are all effects so far, `last` those of the
    last event. Assignments count as sent at once unless `sends_assignments` is False.
    """

    def __init__(self, policy: Policy | None = None, seed: int = 1) -> None:
        self.policy = policy or Policy()
        self.seed = seed
        self.now = START
        self.ledger = Ledger()
        self.effects: list[d.Effect] = []
        self.last: list[d.Effect] = []
        self.sends_assignments = True
        self.scheduler = self._load()

    # --- scheduler and time ---

    def _load(self) -> Scheduler:
        return Scheduler(self.policy, Random(self.seed), self.ledger.snapshot(self.policy, self.now))

    def _apply(self, outcome: d.Outcome) -> list[d.Effect]:
        for write in outcome.writes:
            self.ledger.apply(write)
        self.last = list(outcome.effects)
        self.effects.extend(outcome.effects)
        sent = tuple((a.wallet, a.task_id) for a in self.last if isinstance(a, d.Assign))
        if sent and self.sends_assignments:
            self.scheduler.handle(e.AssignmentsSent(sent), self.now)
        return self.last

    def handle(self, event: e.Event) -> list[d.Effect]:
        """Handle an event; return its effects."""
        return self._apply(self.scheduler.handle(event, self.now))

    def restart(self) -> list[d.Effect]:
        """Restart from the ledger; return the effects of the start."""
        self.scheduler = self._load()
        return self._apply(self.scheduler.start(self.now))

    def wait(self, seconds: float) -> None:
        """Let time pass; each timer fires at its time."""
        end = self.now + seconds
        while (due := self.scheduler.next_wake(self.now)) is not None and due <= end:
            self.now = max(self.now, due)
            self.handle(e.Tick())
        self.now = end

    def sent(self, of: type[E], /, **fields: object) -> list[E]:
        """Return the effects of a kind so far with these attributes; a SendCommand has those of its command."""
        found: list[E] = []
        for effect in self.effects:
            if isinstance(effect, of):
                subject = effect.command if isinstance(effect, d.SendCommand) else effect
                if all(getattr(subject, name) == value for name, value in fields.items()):
                    found.append(effect)
        return found

    def commands(self, number: int) -> list[str]:
        """Return the actions of the commands that a worker was sent."""
        return [c.command.action.value for c in self.sent(d.SendCommand, wallet=wallet(number))]

    # --- state ---

    def task(self, task: TaskId) -> Task:
        """Return the task in memory."""
        return self.scheduler.tasks[task]

    def uploader(self, task: TaskId) -> int:
        """Return the number of the worker that was asked to upload."""
        return int(self.task(task).uploader.removeprefix("0xWorker"))

    def status(self, task: TaskId) -> str:
        """Return the stored status, which must equal the one in memory."""
        memory = self.scheduler.tasks.get(task)
        stored = self.ledger.tasks[task].status
        assert memory is None or memory.status is stored
        return stored.value

    def history(self, task: TaskId) -> list[str]:
        """Return the stored statuses of a task."""
        return [change.status.value for change in self.ledger.tasks[task].history]

    def replicate(self, number: int, task: TaskId) -> Replicate:
        """Return the stored replicate of a worker."""
        return self.ledger.replicates[task, wallet(number)]

    def statuses(self, number: int, task: TaskId) -> list[str]:
        """Return the stored statuses of a replicate."""
        return [change.status.value for change in self.replicate(number, task).history]

    def assigned(self, task: TaskId) -> list[str]:
        """Return the wallets that the task was assigned to, in order."""
        return [name for name, _ in sorted((w, t) for t, w in self.ledger.replicates if t == task)]
