"""A model of the core process: event queue, group commit, effects, chain follower, crashes and restarts."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.checks.violation import must
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.ledger import Ledger
from workerpool_core.simulation.link import Link

_RECONCILE_S = 60.0


class WorkersPort(Protocol):
    """The workers, as core reaches them."""

    @property
    def wallets(self) -> Iterable[str]:
        """The wallets of all workers."""

    def receive(self, wallet: str, link: Link, effect: d.Effect) -> None:
        """Deliver a message to a worker."""

    def unanswered(self, wallet: str, sequence: int) -> e.Update | None:
        """Return an update in a worker's outbox, which has no answer yet."""

    def disconnect(self, wallet: str) -> None:
        """Cut a worker's stream."""


class Core:
    """The core process. Events and answers of a process that crashed are not delivered to the next."""

    def __init__(
        self, environment: Environment, policy: Policy, ledger: Ledger, invariants: Invariants
    ) -> None:
        self._environment = environment
        self._policy = policy
        self._ledger = ledger
        self._invariants = invariants
        self._workers: WorkersPort | None = None
        self.events = 0
        self.process = 0
        self.alive = False
        self.links: dict[str, Link] = {}
        self._scheduler: Scheduler | None = None
        self._followed: list[tuple[int, str]] = []
        self._queue: list[tuple[d.Outcome, float]] = []
        self._wake_at = float("inf")

    def attach(self, workers: WorkersPort) -> None:
        """Set the workers that core reaches."""
        self._workers = workers

    # --- start and crash --------------------------------------------------------------------

    def start(self) -> None:
        """Start from the ledger."""
        environment = self._environment
        now = environment.clock.now
        self.process += 1
        self.alive = True
        self._queue = []
        self._wake_at = float("inf")
        self._followed = [self._ledger.cursor if self._ledger.cursor[1] else (0, "0x0")]
        snapshot = self._ledger.snapshot(self._policy, now)
        self._scheduler = Scheduler(self._policy, Random(environment.random.random()), snapshot)
        environment.note("core.started", tasks=len(self._scheduler.tasks))
        self._take(self._scheduler.start(now))
        self.later(0.0, self.follow)
        self.later(_RECONCILE_S, self._reconcile)

    def crash(self) -> None:
        """Crash: writes that are not durable are lost, possibly from the middle of a group."""
        environment = self._environment
        environment.note("core.crashed", undurable=len(self._queue))
        self.alive = False
        writes = [write for outcome, _ in self._queue for write in outcome.writes]
        for write in writes[: environment.random.randint(0, len(writes))]:
            self._apply(write)
        self._queue = []
        self._scheduler = None
        assert self._workers is not None
        for wallet in self._workers.wallets:
            self._workers.disconnect(wallet)

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Schedule a callback after a delay in seconds, unless this process crashes before."""
        self._at(self._environment.clock.now + delay, call)

    def _at(self, time: float, call: Callable[[], None]) -> None:
        process = self.process

        def call_if_same_process() -> None:
            if self.alive and self.process == process:
                call()

        self._environment.clock.at(time, call_if_same_process)

    def _submit_later(self, delay: float, event: e.Event) -> None:
        """Deliver an answer to this process only, possibly twice."""
        environment = self._environment
        self.later(delay, lambda: self.submit(event))
        if environment.happens(environment.faults.duplicates):
            self.later(delay + environment.random.uniform(0, 20), lambda: self.submit(event))

    def _reconcile(self) -> None:
        self.submit(e.ReconcileDue())
        self.later(_RECONCILE_S, self._reconcile)

    # --- events and commit ------------------------------------------------------------------

    def submit(self, event: e.Event) -> None:
        """Handle an event now; it is lost while core is down."""
        if not self.alive or self._scheduler is None:
            return
        environment = self._environment
        self.events += 1
        if environment.is_traced:
            environment.note("event", what=event)
        self._take(self._scheduler.handle(event, environment.clock.now))

    def _take(self, outcome: d.Outcome) -> None:
        assert self._scheduler is not None
        now = self._environment.clock.now
        for write in outcome.writes:
            if isinstance(write, d.ReplicateCreated):
                self._invariants.assigned(write, self._scheduler, now)
        if not self._queue:
            self.later(self._environment.random.uniform(0.001, 0.02), self._commit)
        self._queue.append((outcome, now))
        wake = self._scheduler.next_wake(now)
        if wake is not None and wake < self._wake_at:
            self._wake_at = wake
            self._at(wake, self._tick)

    def _tick(self) -> None:
        self._wake_at = float("inf")
        self.submit(e.Tick())

    def _commit(self) -> None:
        """Make a group of outcomes durable, then execute its effects."""
        group, self._queue = self._queue, []
        for outcome, _ in group:
            for write in outcome.writes:
                self._apply(write)
        for outcome, _ in group:
            for effect in outcome.effects:
                self._execute(effect)
        wrote = any(outcome.writes for outcome, _ in group)
        if wrote and not self._queue and self._scheduler is not None:
            self._invariants.agree(self._scheduler)

    def _apply(self, write: d.Write) -> None:
        if self._environment.is_traced:
            self._environment.note("write", what=write)
        self._invariants.before(write)
        self._ledger.apply(write)

    # --- effects ----------------------------------------------------------------------------

    def _execute(self, effect: d.Effect) -> None:
        environment = self._environment
        if environment.is_traced and not isinstance(effect, d.NotifyWatchers):
            environment.note("effect", what=effect)
        delay = environment.random.expovariate(20.0)
        match effect:
            case d.ReadTask():
                self.later(delay, lambda: self._read_task(effect))
            case d.ReadWeight(wallet):
                self.later(delay, lambda: self._read_weight(wallet))
            case d.RequestTransaction():
                self._request_transaction(effect, delay)
            case d.CheckResult(task_id):
                stored = None if environment.adapter.down else task_id in environment.archives
                self._submit_later(delay, e.ResultChecked(task_id, stored, "/results/" + task_id))
            case d.AskEnclaveChallenge(task_id):
                refused = environment.happens(environment.faults.refused_challenge)
                challenge = "" if refused else "0x" + "cc" * 20
                self._submit_later(delay, e.EnclaveChallengeAnswered(task_id, challenge, "https://sms"))
            case d.NotifyWatchers():
                pass
            case _:
                self._send_to_worker(effect)

    def _request_transaction(self, effect: d.RequestTransaction, delay: float) -> None:
        process = self.process

        def answer(event: e.TransactionAnswered) -> None:
            # The client of the adapter guarantees one answer for each request.
            if self.process == process:
                self.later(0.0, lambda: self.submit(event))

        self.later(delay, lambda: self._environment.adapter.request(effect, answer))

    def _read_task(self, wanted: d.ReadTask) -> None:
        environment = self._environment
        chain = environment.chain
        if chain.down:
            self.later(2.0, lambda: self._read_task(wanted))
            return
        contributions = chain.view_contributions(wanted.task_id, wanted.wallets)
        task = chain.view_task(wanted.task_id)
        read = e.TaskRead(wanted.task_id, chain.head.number, task, contributions, wanted.asked_at)
        slow = environment.happens(environment.faults.slow_reads)
        delay = environment.random.uniform(0, 8) if slow else environment.random.expovariate(20.0)
        self._submit_later(delay, read)

    def _read_weight(self, wallet: str) -> None:
        chain = self._environment.chain
        if chain.down:
            self.later(2.0, lambda: self._read_weight(wallet))
        else:
            self._submit_later(0.0, e.WeightsRead(((wallet, chain.hub.weights[wallet]),)))

    def _send_to_worker(self, effect: d.Effect) -> None:
        wallet = effect.command.wallet if isinstance(effect, d.SendCommand) else effect.wallet  # type: ignore[union-attr]
        link = self.links.get(wallet)
        session = getattr(effect, "session", None)
        if link is None or (session is not None and session != link.session):
            return
        workers = self._workers
        assert workers is not None
        if isinstance(effect, d.AnswerUpdate):
            self._invariants.answered(effect, workers.unanswered(wallet, effect.sequence))
        elif isinstance(effect, d.CloseSession):
            workers.disconnect(wallet)
            return
        elif isinstance(effect, d.Assign):
            must(
                (effect.task_id, wallet) in self._ledger.replicates, "assigned before it was stored:", effect
            )
        link.carry("down", lambda: workers.receive(wallet, link, effect))

    # --- chain follower ---------------------------------------------------------------------

    def follow(self) -> None:
        """Report new blocks to the scheduler, after those that a reorganisation removed."""
        chain = self._environment.chain
        if not self.alive or chain.down:
            return
        _, block_hash = self._followed[-1]
        ancestor = chain.ancestor(block_hash)
        if ancestor.hash != block_hash:
            self._followed.append((ancestor.number, ancestor.hash))
            self.submit(e.BlocksReverted(ancestor.number))
        for block in chain.blocks[ancestor.number + 1 :]:
            self._followed.append((block.number, block.hash))
            self.submit(block.seen())
