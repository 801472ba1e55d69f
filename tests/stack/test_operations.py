"""What operators do to a pool that computes, with the commands of docs/operations.md: upgrade, rollback, restore.

The lines of the older guides are checked on the same pool, before it changes.
"""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import docker
import pytest
import pytest_asyncio
from e2e.shell_image import ensure_shell_image
from workerpool_devnet.demo.follow import read_chain
from workerpool_devnet.devnet import Devnet
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId

from stack.documented import commands, run
from stack.guide_lines import CHECKS
from stack.pool_of_compose import (
    DEPENDENCIES,
    READY_LIMIT_S,
    TAG,
    Stack,
    status_of,
    wait_completed,
    wait_for_worker,
)
from stack.running import OURS, Project, up, wait_until
from stack.running_pool import pool_over_http
from stack.stand_ins import has_kubo

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

NEXT = "next"
PAGE = "operations.md"
APP = (
    "sh -c 'sleep 5; echo done >/iexec_out/done.txt; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/done.txt\\"}" >/iexec_out/computed.json\''
)
BAG = 6
"""Tasks of a deal: three times as many as the worker computes at once."""
ONCE = "1 initialize, 1 contribute, 1 reveal, 1 finalize"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(images: Mapping[str, str], net: Devnet) -> AsyncIterator[Stack]:
    assert has_kubo(), "Kubo is not built: run `make ipfs`"
    async with pool_over_http(images, net) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(net: Devnet) -> str:
    return await net.create_app("operations", await asyncio.to_thread(ensure_shell_image))


@pytest.fixture(scope="module")
def next_version(stack: Stack) -> Iterator[None]:
    """Make images of another version: the same programs with another label."""
    client = docker.from_env()
    for project, services in ((stack.pool, OURS), (stack.worker, ("worker",))):
        shown = json.loads(project.compose("config", "--format", "json"))["services"]
        for service in services:
            image = shown[service]["image"]
            content = f"FROM {image}\nLABEL org.opencontainers.image.version={NEXT}\n".encode()
            client.images.build(
                fileobj=io.BytesIO(content), tag=image.replace(f":{TAG}", f":{NEXT}"), rm=True
            )
    yield
    client.close()


async def bought(stack: Stack, app: str, volume: int = BAG) -> list[TaskId]:
    """Buy a bag."""
    deal = await stack.net.buy(app, params=DealParams(args=APP), volume=volume)
    return list(deal.task_ids)


async def computing(stack: Stack, tasks: Sequence[TaskId]) -> None:
    """Wait until the worker computes some of the tasks."""

    def statuses() -> list[str]:
        return [status_of(stack, task) for task in tasks]

    await asyncio.to_thread(
        wait_until, lambda: "RUNNING" in statuses(), READY_LIMIT_S, lambda: str(statuses())
    )


async def completed(stack: Stack, tasks: Sequence[TaskId]) -> None:
    """Wait for the end of tasks; check that each was computed once, and that its result can be downloaded."""
    await asyncio.to_thread(wait_completed, stack, [*tasks])
    async with HubClient(stack.net.chain.url, stack.net.contracts.hub) as hub:
        for task in tasks:
            record = await read_chain(hub, task, 0)
            assert (record.completed, record.counts()) == (True, ONCE)
            assert await asyncio.to_thread(downloaded, stack, task)


def downloaded(stack: Stack, task: TaskId) -> bool:
    """Return whether the result of a task can be downloaded."""
    status, body = stack.get(f"{stack.results}/results/{task}")
    return (status, body[:2]) == (200, b"PK")


async def all_healthy(stack: Stack) -> None:
    await asyncio.to_thread(stack.pool.wait_healthy, [*OURS, *DEPENDENCIES], READY_LIMIT_S)


def versions(project: Project, services: Sequence[str]) -> set[str]:
    """Return the tags of the images that run."""
    return {project.inspect(name)["Config"]["Image"].rpartition(":")[2] for name in services}


def follow_the_guide(project: Project, block: Sequence[str], tag: str) -> None:
    """Set the tag as the documented block says, then start what changed."""
    change, start = block
    run(re.sub(r"0\.2\.0", tag, change), project.folder)
    assert start == "docker compose up -d"
    # Some services have no image here.
    up(project)


@pytest.mark.parametrize(("guide", "line"), CHECKS, ids=lambda value: str(value))
async def test_a_line_of_an_older_guide(stack: Stack, guide: str, line: int) -> None:
    await asyncio.to_thread(CHECKS[guide, line], stack)


@pytest.mark.parametrize("tag", [NEXT, TAG], ids=["upgrade", "rollback"])
@pytest.mark.usefixtures("next_version")
async def test_another_version_of_the_pool_under_load_loses_nothing(stack: Stack, app: str, tag: str) -> None:
    block = commands(PAGE, "Upgrade and rollback")[0]
    tasks = await bought(stack, app)
    await computing(stack, tasks)
    await asyncio.to_thread(follow_the_guide, stack.pool, block, tag)
    await all_healthy(stack)
    assert await asyncio.to_thread(versions, stack.pool, OURS) == {tag}
    await completed(stack, tasks)


@pytest.mark.usefixtures("next_version")
async def test_another_version_of_the_worker_under_load_loses_nothing(stack: Stack, app: str) -> None:
    block = commands(PAGE, "Upgrade and rollback")[1]
    tasks = await bought(stack, app)
    await computing(stack, tasks)
    await asyncio.to_thread(follow_the_guide, stack.worker, block, NEXT)
    assert await asyncio.to_thread(versions, stack.worker, ["worker"]) == {NEXT}
    await completed(stack, tasks)


async def test_down_and_up_under_load_resumes_the_deal(stack: Stack, app: str) -> None:
    """Line 122 of guide 002; the worker runs on, and lines 115 and 125 are better here."""
    tasks = await bought(stack, app)
    await computing(stack, tasks)
    await asyncio.to_thread(stack.pool.compose, "down")
    await asyncio.to_thread(up, stack.pool)
    await all_healthy(stack)
    await completed(stack, tasks)


async def test_a_backup_is_restored_after_everything_is_lost(
    stack: Stack, app: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    (make,), (remove,), (restore, start) = commands(PAGE, "Backup and restore")
    place = str(tmp_path / "monday")

    def as_documented(command: str) -> str:
        assert "/mnt/backup/monday" in command or command == remove
        return run(command.replace("/mnt/backup/monday", place), stack.pool.folder)

    before = await bought(stack, app, volume=1)
    await completed(stack, before)
    during = await bought(stack, app)
    await computing(stack, during)
    said = await asyncio.to_thread(as_documented, make)
    record_property("figure", f"backup: {re.findall('started again after [0-9]+ s', said)[0]}")
    await all_healthy(stack)
    await completed(stack, during)
    since = await bought(stack, app, volume=1)
    await completed(stack, since)
    lost = await bought(stack, app)
    await computing(stack, lost)

    await asyncio.to_thread(as_documented, remove)
    await asyncio.to_thread(as_documented, restore)
    assert start == "docker compose up -d"
    await asyncio.to_thread(up, stack.pool)
    await all_healthy(stack)
    await asyncio.to_thread(wait_for_worker, stack)
    await completed(stack, lost)
    # Core learns from the chain what it had forgotten; the bytes of results were as old as the backup.
    await asyncio.to_thread(wait_completed, stack, [*before, *during, *since])
    assert [await asyncio.to_thread(downloaded, stack, task) for task in before] == [True]
    await completed(stack, await bought(stack, app, volume=1))
