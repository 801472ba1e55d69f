"""One run: quiet times, the mix with its faults, a calm at the end, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workerpool_kit.runtime.tasks import end_tasks

from hostile import settings
from hostile.catalogue.all import HONEST
from hostile.deals import BoughtDeal
from hostile.faults import Faults
from hostile.generator import Generator
from hostile.judging import host
from hostile.judging.limits import QuietTimes
from hostile.judging.memory import Memory
from hostile.judging.stake import lost_stake
from hostile.judging.verdicts import wrong
from hostile.judging.workers import WorkerWatch
from hostile.mix import Mix, every
from hostile.pool import HostilePool, Say, hostile_pool
from hostile.report import Report
from hostile.workers.strangers import present

_LONGEST_END_S = 900.0
"""Time beyond the mix after which a run is given up: start, quiet times, last deals, cleanup."""
_PROGRESS_S, _LOOK_S, _SAMPLE_S = 30.0, 2.0, 5.0
_REVIVE_S = 20.0
_CALM_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does."""

    seed: int
    seconds: float
    faults: bool = True
    strangers: bool = True
    only: Sequence[str] = ()
    """Beginnings of the names of the hostile entries to draw; empty for all."""
    logs_full_s: float = 100.0
    shared_machine: bool = False
    """Whether other tests may load the machine: limits of time are doubled, and heavy entries left out."""


@dataclass
class Run:
    """The parts of one run that its judges read."""

    plan: Plan
    pool: HostilePool
    say: Say
    quiet: QuietTimes = field(default_factory=lambda: QuietTimes(settings.START_LIMIT_S))
    mix: Mix = field(init=False)
    faults: Faults = field(init=False)
    memory: Memory = field(init=False)
    watch: WorkerWatch = field(init=False)
    _judged: dict[int, bool] = field(default_factory=dict)
    """Number of a deal that is over → whether it is wrong. Judging each once keeps the buyers' event loop free."""

    def __post_init__(self) -> None:
        """Build the parts."""
        net, seed = self.pool.net, self.plan.seed
        honest = self.pool.honest_wallets
        self.mix = Mix(
            self.pool,
            Generator(seed, self.plan.only, heavy=not self.plan.shared_machine),
            self.quiet,
            self.say,
            self.allowance,
        )
        self.memory = Memory(net)
        self.watch = WorkerWatch(net, self.pool.wallets, set(honest))
        self.faults = Faults(
            net,
            random.Random(f"{seed} faults"),
            self.pool.honest_workers,
            pause_s=min(60.0, self.plan.seconds / 6),
            logs=self.pool.logs,
            logs_full_s=min(self.plan.logs_full_s, self.plan.seconds / 5),
            say=self.say,
        )

    def allowance(self, deal: BoughtDeal) -> float:
        """Return the seconds that bad workers and faults may add to a deal."""
        bad = len(deal.wallets() - set(self.pool.honest_wallets))
        fault_s, faults = self.faults.seconds_between(deal.bought_at, deal.bought_at + deal.seconds)
        load_s = deal.limit_s if self.plan.shared_machine else 0.0
        return load_s + self.quiet.allowance(bad, fault_s, faults)

    async def go(self) -> None:
        """Measure quiet times, run the mix, and let the pool come to rest."""
        await self.mix.measure_quiet_times()
        for line in ("quiet times:", *self.quiet.lines(HONEST)):
            self.say(line)
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(_background(every(_SAMPLE_S, self._sample)))
            await stack.enter_async_context(_background(every(_LOOK_S, self.watch.look)))
            await stack.enter_async_context(_background(every(_PROGRESS_S, self._tell)))
            if self.plan.strangers:
                await self.pool.start_broken()
                await stack.enter_async_context(present(self.pool.net, self.plan.seed))
                await stack.enter_async_context(_background(every(_REVIVE_S, self.pool.revive_broken)))
                self.say("strangers and broken workers are there")
            async with asyncio.TaskGroup() as group:
                group.create_task(self.mix.run(self.plan.seconds))
                if self.plan.faults:
                    group.create_task(self.faults.plant(self.plan.seconds))
            self.say("the last deal is over")
        await self._calm()

    async def judge(self, *, interrupted: bool = False) -> Report:
        """Return the report of the run; call it while the pool runs, after `go`.

        Of an interrupted run only the deals that are over are judged.
        """
        report = Report(self.plan.seed, self.pool.wallets, interrupted=interrupted)
        for deal in self.mix.deals:
            if deal.over or not interrupted:
                report.judged(deal, wrong(deal, self.allowance(deal)))
        if unjudged := self.mix.running() if interrupted else []:
            report.note("not over at the interruption", [f"  {len(unjudged)} deals"])
        report.add("stake", await lost_stake(self.pool.net, self.mix.deals, self.pool.honest_wallets))
        report.add("quarantine", self.watch.honest_quarantined())
        report.add("memory", self.memory.excesses())
        report.note("memory", self.memory.lines())
        report.note("workers", self.watch.lines())
        report.note("quiet times", self.quiet.lines(HONEST))
        report.note("scheduler", [f"  slowest answer of ListWorkers {self.watch.slowest_s:.2f} s"])
        return report

    async def clean_up(self, report: Report) -> None:
        """Stop the workers and report what they leave behind."""
        own = {**self.pool.honest_wallets}
        if not report.interrupted:  # The tasks of an interrupted run still use theirs.
            report.add("containers", await asyncio.to_thread(host.containers_of, own))
            roots = [self.pool.net.folder / name for name in self.pool.honest_workers]
            report.add("folders", await asyncio.to_thread(host.task_folders, roots))
        report.add("SIGTERM", await self.pool.stop_workers())
        report.add("engine", await asyncio.to_thread(host.left_in_engine, own))

    async def _calm(self) -> None:
        """Wait until the workers hold no container any more."""
        end = time.monotonic() + _CALM_S
        while time.monotonic() < end:
            if not await asyncio.to_thread(host.containers_of, self.pool.honest_wallets):
                break
            await asyncio.sleep(1)
        await self._sample()

    async def _sample(self) -> None:
        self.memory.sample()

    async def _tell(self) -> None:
        honest = [deal for deal in self.mix.deals if deal.entry.honest]
        hostile = [deal for deal in self.mix.deals if not deal.entry.honest]
        for deal in self.mix.deals:
            if deal.over and deal.number not in self._judged:
                problems = wrong(deal, self.allowance(deal))
                self._judged[deal.number] = bool(problems)
                for problem in problems:
                    self.say(f"wrong: deal {deal.number} {deal.entry.name}: {problem}")
        self.say(
            f"honest {sum(deal.over for deal in honest)}/{len(honest)} over, "
            f"hostile {sum(deal.over for deal in hostile)}/{len(hostile)} over, {sum(self._judged.values())} wrong, "
            f"{len(self.faults.windows)} faults, {self.mix.dry_bags} dry bags"
        )


@contextlib.asynccontextmanager
async def _background(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run a coroutine beside the body of a context."""
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            task.result()
    finally:
        await end_tasks(task)


async def run(plan: Plan, say: Say, interrupt: asyncio.Event | None = None) -> Report:
    """Run a plan to its end, or until `interrupt` is set; return the report of what has happened.

    Everything is stopped and removed when it returns or raises.
    """
    folder: Path | None = None
    async with asyncio.timeout(plan.seconds + _LONGEST_END_S):
        async with hostile_pool(say) as pool:
            folder = pool.net.folder
            running = Run(plan, pool, say)
            ended = await ended_before(running.go(), interrupt or asyncio.Event())
            if not ended:
                say("interrupted: judging what is over, then stopping everything")
            report = await running.judge(interrupted=not ended)
            await running.clean_up(report)
        report.add("host", host.left_on_system(folder))
    return report


async def ended_before(work: Coroutine[object, object, None], interrupt: asyncio.Event) -> bool:
    """Run work until it ends and return True; cancel it and return False if it is interrupted first."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(interrupt.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        await working
        return True
    finally:
        await end_tasks(working, waiting)
