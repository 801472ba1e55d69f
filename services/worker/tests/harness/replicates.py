"""Replicates whose steps a test chooses."""

import asyncio
from collections.abc import Callable
from typing import Any

from patience import PATIENCE_S
from workerpool_worker.app.replicate import Replicate, Step
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.domain.stages import Stage

from services.worker.tests.harness.context import make_replicate


async def waiting_step(replicate: Replicate) -> None:
    await asyncio.Event().wait()


async def completing_step(replicate: Replicate) -> None:
    replicate.complete_step()


def failing_step(*errors: Exception) -> Step:
    remaining = list(errors)

    async def step(replicate: Replicate) -> None:
        if remaining:
            raise remaining.pop(0)
        replicate.complete_step()

    return step


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def started(
    context: ReplicateContext, step: Step, stage: Stage = Stage.START, **record: Any
) -> tuple[Replicate, asyncio.Task[None]]:
    """Run a replicate whose stage runs `step`; later stages wait."""
    steps = dict.fromkeys(Stage, waiting_step) | {stage: step}
    replicate = make_replicate(context, steps=steps, stage=stage, **record)
    return replicate, asyncio.create_task(replicate.run())


async def end(replicate: Replicate, life: asyncio.Task[None]) -> None:
    replicate.discard()
    await asyncio.wait_for(life, PATIENCE_S)
