"""A model of the core process: event queue, group commit, chain follower, crashes and restarts."""

from collections.abc import Callable
from random import Random

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.core.effects import Effects, WorkersPort
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.ledger import Ledger
from workerpool_core.simulation.link import Link

_RECONCILE_S = 60.0


class Core:
    """The core process; events and answers of a crashed process are not delivered to the next."""

    def __init__(
        self, environment: Environment, policy: Policy, ledger: Ledger, invariants: Invariants
    ) -> None:
        self._environment = environment
        self._policy = policy
        self._ledger = ledger
        self._invariants = invariants
        self._workers: WorkersPort | None = None
        self._effects: Effects | None = None
        self.events = 0
        self.process = 0
        self.alive = False
        self.links: dict[str, Link] = {}
        self._scheduler: Scheduler | None = None
        self._followed: list[tuple[int, str]] = []
        self._queue: list[tuple[d.Outcome, float]] = []
        self._wake_at = float("inf")

    def attach(self, workers: WorkersPort) -> None:
        """Set the workers of this core."""
        self._workers = workers
        self._effects = Effects(self._environment, self._ledger, self._invariants, self, workers)

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

    def _reconcile(self) -> None:
        self.submit(e.ReconcileDue())
        self.later(_RECONCILE_S, self._reconcile)

    # --- events and commit ------------------------------------------------------------------

    def submit(self, event: e.Event) -> None:
        """Handle an event now; drop it while core is down."""
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
        assert self._effects is not None
        for outcome, _ in group:
            for effect in outcome.effects:
                self._effects.execute(effect)
        wrote = any(outcome.writes for outcome, _ in group)
        if wrote and not self._queue and self._scheduler is not None:
            self._invariants.agree(self._scheduler)

    def _apply(self, write: d.Write) -> None:
        if self._environment.is_traced:
            self._environment.note("write", what=write)
        self._invariants.before(write)
        self._ledger.apply(write)

    # --- chain follower ---------------------------------------------------------------------

    def follow(self) -> None:
        """Submit a reorganisation if there is one, then the new blocks."""
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
