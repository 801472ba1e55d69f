"""Probing a dependency every few seconds, from the start of the process to its end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from workerpool_kit.dependencies.report import DependencyProblem, DependencyReport
from workerpool_kit.process import Lifetime
from workerpool_kit.runtime.tasks import end_tasks

PERIOD_S = 2.0
_LIMIT_S = 3.0

Probe = Callable[[], Awaitable[None]]
"""Returns when the dependency works, raises DependencyProblem when it does not."""


async def watch(
    report: DependencyReport, probe: Probe, *, every_s: float = PERIOD_S, limit_s: float = _LIMIT_S
) -> None:
    """Probe every `every_s` seconds until cancelled. A probe that takes longer than `limit_s` counts as no answer."""
    while True:
        try:
            async with asyncio.timeout(limit_s):
                await probe()
        except TimeoutError:
            report.fails(DependencyProblem(f"it does not answer within {limit_s:g} s"))
        except DependencyProblem as problem:
            report.fails(problem)
        else:
            report.works()
        await asyncio.sleep(every_s)


def start_watching(
    lifetime: Lifetime, stack: AsyncExitStack, watching: Coroutine[Any, Any, None], component: str
) -> None:
    """Run `watch` of a component in the background, until `stack` closes what the probe uses."""
    task = lifetime.spawn(watching, f"{component} health")
    stack.push_async_callback(end_tasks, task)
