"""A container that is created ahead of its start."""

import asyncio

import pytest
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.app.prepared_container import PreparedContainer
from workerpool_worker.errors import (
    AppCannotStart,
    DockerUnavailable,
    HostDeviceUnavailable,
    HostStorageUnavailable,
    ImageUnavailable,
)

from services.worker.tests.doubles.engine import FakeEngine
from services.worker.tests.harness.builders import TASK_ID
from services.worker.tests.harness.context import POLICY

PLAN = ContainerPlan(TASK_ID, "worker", "app:1", (), {}, {}, POLICY.limits)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(images={"app:1"})


@pytest.fixture
def prepared(engine: FakeEngine) -> PreparedContainer:
    return PreparedContainer(engine, TASK_ID)


async def failing(error: Exception) -> str:
    raise error


async def never() -> str:
    return str(await asyncio.Event().wait())


async def test_a_prepared_container_is_taken_once(engine: FakeEngine, prepared: PreparedContainer) -> None:
    prepared.begin(engine.create(PLAN))
    assert prepared.has_begun
    assert await prepared.take() in engine.containers
    assert not prepared.has_begun


async def test_a_taken_container_is_not_removed(engine: FakeEngine, prepared: PreparedContainer) -> None:
    prepared.begin(engine.create(PLAN))
    await prepared.take()
    await prepared.remove()
    assert len(engine.containers) == 1


@pytest.mark.parametrize(
    "error",
    [
        DockerUnavailable("away"),
        ImageUnavailable("pruned"),
        HostStorageUnavailable("full"),
        RuntimeError("a defect"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_failure_leaves_the_creation_to_the_caller(
    prepared: PreparedContainer, error: Exception
) -> None:
    prepared.begin(failing(error))
    assert await prepared.take() is None


@pytest.mark.parametrize(
    "error",
    [AppCannotStart("no command"), HostDeviceUnavailable("no GPU")],
    ids=lambda error: type(error).__name__,
)
async def test_a_failure_that_would_repeat_itself_is_raised(
    prepared: PreparedContainer, error: Exception
) -> None:
    prepared.begin(failing(error))
    with pytest.raises(type(error)):
        await prepared.take()


async def test_a_creation_that_does_not_end_is_cancelled(prepared: PreparedContainer) -> None:
    prepared.begin(never())
    assert not await prepared.drop()
    assert not prepared.has_begun


async def test_an_unused_container_is_removed(engine: FakeEngine, prepared: PreparedContainer) -> None:
    prepared.begin(engine.create(PLAN))
    await asyncio.sleep(0)
    await prepared.remove()
    assert engine.containers == {}
    await prepared.remove()


async def test_an_unreachable_engine_does_not_delay_the_end(
    engine: FakeEngine, prepared: PreparedContainer
) -> None:
    prepared.begin(engine.create(PLAN))
    await asyncio.sleep(0)
    engine.outages = 1
    await prepared.remove()
    assert len(engine.containers) == 1, "the next start removes it"


async def test_each_of_two_cleanups_waits_for_the_call_in_flight(prepared: PreparedContainer) -> None:
    """An error result and the end of its replicate may clean up at the same time."""
    begun, cancelled, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def create() -> str:
        begun.set()
        try:
            return str(await asyncio.Event().wait())
        finally:
            cancelled.set()
            await answered.wait()

    prepared.begin(create())
    await begun.wait()
    first = asyncio.create_task(prepared.drop())
    await cancelled.wait()
    second = asyncio.create_task(prepared.drop())
    done, _ = await asyncio.wait({first, second}, timeout=0.05)
    assert not done, "a cleanup went ahead of the engine's answer"
    answered.set()
    assert not any(await asyncio.gather(first, second))
