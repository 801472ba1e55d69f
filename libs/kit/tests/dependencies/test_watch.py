"""A probe that hangs counts as no answer; a stopped watch ends before what it uses is closed."""

import asyncio
from contextlib import AsyncExitStack

from patience import PATIENCE_S
from workerpool_kit.dependencies.report import Dependency, DependencyProblem, DependencyReport
from workerpool_kit.dependencies.watch import start_watching, watch
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime


async def becomes(health: Health, text: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while text not in str(health.snapshot()):
            await asyncio.sleep(0.005)


async def test_health_follows_the_probe() -> None:
    health, lifetime, how = Health(), Lifetime(), "works"

    async def probe() -> None:
        if how == "hangs":
            await asyncio.Event().wait()
        if how == "fails":
            raise DependencyProblem("it is gone")

    report = DependencyReport(health, Dependency("a", "A", "http://a", "start it"))
    async with AsyncExitStack() as stack:
        start_watching(lifetime, stack, watch(report, probe, every_s=0.01, limit_s=0.05), "a")
        await becomes(health, "UP")
        how = "hangs"
        await becomes(health, "does not answer within 0.05 s")
        how = "fails"
        await becomes(health, "it is gone")
        how = "works"
        await becomes(health, "'status': 'UP', 'components'")
    assert lifetime.failure is None
