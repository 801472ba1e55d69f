"""A release that deals only with enclaves of the kind TDX, on a pool that has none."""

from __future__ import annotations

import time
from typing import Any

from http_calls import get

from sdk.project import TDX_TAG, Project
from sdk.scenarios import orders
from sdk.scenarios.tasks import first_task

_SECONDS = 30.0
REASON = "no SMS serves TDX"
"""What `/tasks/{id}` must say."""


async def task_ends_with_the_reason(project: Project, owner: Project) -> None:
    """Run an app on an order for TDX that the owner of the pool publishes by hand; learn why it cannot be served."""
    await _offers_by_hand(project, owner)
    dataset = ("--dataset", project.dataset) if project.dataset else ()
    ran = await project.iexec.run(
        *("app", "run", project.app, "--workerpool", project.around.workerpool, *dataset),
        *("--args", "hello", "--category", "0", *project.tag, "--force"),
    )
    await _learns_the_reason(project, ran["deals"][0]["dealid"])


async def filled_order_ends_with_the_reason(project: Project, owner: Project) -> None:
    """Sign a request and match it by hand with such an order; the reason is the same."""
    await _offers_by_hand(project, owner)
    (offer,) = await _offers(project)
    await _learns_the_reason(project, await orders.fills(project, offer, args="hello"))


async def _offers_by_hand(project: Project, owner: Project) -> None:
    published = await owner.iexec.run(
        *("workerpool", "publish", project.around.workerpool, "--tag", TDX_TAG, "--category", "0"),
        *("--price", "0", "--volume", "1", "--requester-restrict", project.user, "--force"),
    )
    found = {offer["orderHash"] for offer in await _offers(project)}
    assert found == {published["orderHash"]}, "the publisher offers no enclave that the pool does not have"


async def _offers(project: Project) -> list[dict[str, Any]]:
    words = ("--tag", TDX_TAG, "--requester", project.user)
    return await orders.orders(project, "workerpool", project.around.workerpool, *words)


async def _learns_the_reason(project: Project, deal: str) -> None:
    """Check that the task of a deal ends within seconds, and that each entry says why."""
    matched, task = time.monotonic(), first_task(deal)
    # The task costs the pool no transaction, so the chain does not know it, and neither does `task debug`.
    core = project.around.document["services"]["core"]["http"]
    while (answer := await get(f"{core}/tasks/{task}")).status != 200 or REASON not in answer.text:
        assert time.monotonic() - matched < _SECONDS, f"the reason is missing: {answer.text}"
    shown = answer.json()
    assert shown["currentStatus"] == "FAILED"
    assert shown["replicates"] == []
    failed = [entry for entry in shown["dateStatusList"] if "FAILED" in entry["status"]]
    assert [entry["status"] for entry in failed] == ["INITIALIZE_FAILED", "FAILED"]
    for entry in failed:
        assert REASON in entry["message"]
        assert entry["fault"] == "pool"
        assert entry["next"]
    assert "No task found" in await project.iexec.refused("task", "debug", task)


async def names_the_core_of_the_pool(project: Project) -> None:
    """Show the pool's workerpool: compass (or ENS) gives the address of its core."""
    shown = await project.iexec.run("workerpool", "show", project.around.workerpool)
    assert shown["apiUrl"] == project.around.document["services"]["core"]["http"]
