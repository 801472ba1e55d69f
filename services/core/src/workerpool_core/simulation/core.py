"""The process around the scheduler: mailbox, group commit, effects, chain follower; and its deaths."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.simulation.invariants import must
from workerpool_core.simulation.ledger import Ledger
from workerpool_core.simulation.link import Link

if TYPE_CHECKING:
    from workerpool_core.simulation.world import World

_RECONCILE_S = 60.0


class Core:
    """Lives, dies and starts again from its ledger. Events of an earlier life are not delivered."""

    def __init__(self, world: World, policy: Policy) -> None:
        self._world = world
        self._policy = policy
        self.ledger = Ledger()
        self.life = 0
        self.alive = False
        self.scheduler: Scheduler | None = None
        self.links: dict[str, Link] = {}
        self._followed: list[tuple[int, str]] = []
        self._queue: list[tuple[d.Outcome, float]] = []
        self._wake_at = float("inf")

    # --- life and death ---------------------------------------------------------------------

    def start(self) -> None:
        """Start from the ledger."""
        world = self._world
        self.life += 1
        self.alive = True
        self._queue = []
        self._wake_at = float("inf")
        self._followed = [self.ledger.cursor if self.ledger.cursor[1] else (0, "0x0")]
        snapshot = self.ledger.snapshot(self._policy, world.clock.now)
        self.scheduler = Scheduler(self._policy, Random(world.random.random()), snapshot)
        world.note("core starts", tasks=len(self.scheduler.tasks))
        self._take(self.scheduler.start(world.clock.now))
        self.later(0.0, self.follow)
        self.later(_RECONCILE_S, self._reconcile)

    def crash(self) -> None:
        """Die: what was not durable is lost, maybe in the middle of a group."""
        self._world.note("core dies", undurable=len(self._queue))
        self.alive = False
        writes = [(write, at) for outcome, at in self._queue for write in outcome.writes]
        for write, at in writes[: self._world.random.randint(0, len(writes))]:
            self._apply(write, at)
        self._queue = []
        self.scheduler = None
        for wallet in self._world.workers:
            self._world.cut(wallet)

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Call something after a delay in seconds, if this life still lasts then."""
        self._at(self._world.clock.now + delay, call)

    def _at(self, time: float, call: Callable[[], None]) -> None:
        life = self.life

        def when_same_life() -> None:
            if self.alive and self.life == life:
                call()

        self._world.clock.at(time, when_same_life)

    def answer_to(self, event_delay: float, event: e.Event) -> None:
        """Deliver an event to this life only, maybe twice."""
        self.later(event_delay, lambda: self.submit(event))
        if self._world.happens(self._world.faults.duplicates):
            self.later(event_delay + self._world.random.uniform(0, 20), lambda: self.submit(event))

    def _reconcile(self) -> None:
        self.submit(e.ReconcileDue())
        self.later(_RECONCILE_S, self._reconcile)

    # --- mailbox and commit -----------------------------------------------------------------

    def submit(self, event: e.Event) -> None:
        """Let the scheduler handle an event now."""
        if not self.alive or self.scheduler is None:
            return
        world = self._world
        world.events += 1
        if world.trace:
            world.note("event", what=event)
        self._take(self.scheduler.handle(event, world.clock.now))

    def _take(self, outcome: d.Outcome) -> None:
        assert self.scheduler is not None
        world = self._world
        now = world.clock.now
        for write in outcome.writes:
            if isinstance(write, d.ReplicateCreated):
                world.invariants.supplied(write, self.scheduler, now)
        if not self._queue:
            self.later(world.random.uniform(0.001, 0.02), self._commit)
        self._queue.append((outcome, now))
        wake = self.scheduler.next_wake(now)
        if wake is not None and wake < self._wake_at:
            self._wake_at = wake
            self._at(wake, self._ring)

    def _ring(self) -> None:
        self._wake_at = float("inf")
        self.submit(e.Tick())

    def _commit(self) -> None:
        """Make the group durable, then carry out its effects."""
        group, self._queue = self._queue, []
        for outcome, at in group:
            for write in outcome.writes:
                self._apply(write, at)
        for outcome, _ in group:
            for effect in outcome.effects:
                self._carry_out(effect)
        wrote = any(outcome.writes for outcome, _ in group)
        if wrote and not self._queue and self.scheduler is not None:
            self._world.invariants.agree(self.scheduler)

    def _apply(self, write: d.Write, at: float) -> None:
        if self._world.trace:
            self._world.note("write", what=write)
        self._world.invariants.before(write)
        self.ledger.apply(write)

    # --- effects ----------------------------------------------------------------------------

    def _carry_out(self, effect: d.Effect) -> None:
        world = self._world
        if world.trace and not isinstance(effect, d.NotifyWatchers):
            world.note("effect", what=effect)
        delay = world.random.expovariate(20.0)
        match effect:
            case d.ReadTask():
                self.later(delay, lambda: self._read(effect))
            case d.ReadWeight(wallet):
                self.later(delay, lambda: self._weigh(wallet))
            case d.RequestTransaction():
                life = self.life

                def answer(event: e.TransactionAnswered) -> None:
                    # One answer for each request: that is the client's promise.
                    if self.life == life:
                        self.later(0.0, lambda: self.submit(event))

                self.later(delay, lambda: world.adapter.request(effect, answer))
            case d.CheckResult(task_id):
                stored = None if world.adapter.down else task_id in world.deposited
                self.answer_to(delay, e.ResultChecked(task_id, stored, "/results/" + task_id))
            case d.AskEnclaveChallenge(task_id):
                refused = world.happens(world.faults.refused_challenge)
                challenge = "" if refused else "0x" + "cc" * 20
                self.answer_to(delay, e.EnclaveChallengeAnswered(task_id, challenge, "https://sms"))
            case d.NotifyWatchers():
                pass
            case _:
                self._to_worker(effect)

    def _read(self, wanted: d.ReadTask) -> None:
        chain = self._world.chain
        if chain.down:
            self.later(2.0, lambda: self._read(wanted))
            return
        contributions = chain.view_contributions(wanted.task_id, wanted.wallets)
        read = e.TaskRead(
            wanted.task_id,
            chain.head.number,
            chain.view_task(wanted.task_id),
            contributions,
            wanted.asked_at,
        )
        random = self._world.random
        slow = self._world.happens(self._world.faults.slow_reads)
        self.answer_to(random.uniform(0, 8) if slow else random.expovariate(20.0), read)

    def _weigh(self, wallet: str) -> None:
        if self._world.chain.down:
            self.later(2.0, lambda: self._weigh(wallet))
        else:
            self.answer_to(0.0, e.WeightsRead(((wallet, self._world.chain.weights[wallet]),)))

    def _to_worker(self, effect: d.Effect) -> None:
        wallet = effect.command.wallet if isinstance(effect, d.SendCommand) else effect.wallet  # type: ignore[union-attr]
        link = self.links.get(wallet)
        session = getattr(effect, "session", None)
        if link is None or (session is not None and session != link.session):
            return
        if isinstance(effect, d.AnswerUpdate):
            self._world.acknowledged(effect)
        elif isinstance(effect, d.CloseSession):
            self._world.cut(wallet)
            return
        elif isinstance(effect, d.Assign):
            must((effect.task_id, wallet) in self.ledger.replicates, "assigned before it was stored")
        worker = self._world.workers[wallet]
        link.carry("down", lambda: worker.receive(link, effect))

    # --- the chain --------------------------------------------------------------------------

    def follow(self) -> None:
        """Tell the scheduler of new blocks, after those that vanished."""
        chain = self._world.chain
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
