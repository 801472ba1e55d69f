"""A release that deals only with enclaves of the kind TDX, on a pool that has none."""

from __future__ import annotations

import time

from http_calls import get

from sdk.project import TDX_TAG, Project
from sdk.scenarios import orders
from sdk.scenarios.tasks import first_task

_SECONDS = 30.0
REASON = "no SMS serves TDX"
"""What `/tasks/{id}` must say."""


async def task_ends_with_the_reason(project: Project, owner: Project) -> None:
    """Match an order with the tag 0x9 that the pool's owner publishes by hand: the pool says at once why it cannot."""
    around, iexec = project.around, project.iexec
    published = await owner.iexec.run(
        *("workerpool", "publish", around.workerpool, "--tag", TDX_TAG, "--category", "0", "--price", "0"),
        *("--volume", "1", "--requester-restrict", project.user, "--force"),
    )
    found = await orders.book(
        project, "workerpool", around.workerpool, "--tag", TDX_TAG, "--requester", project.user
    )
    assert found == {published["orderHash"]}, "the publisher offers no enclave that the pool does not have"
    ran = await iexec.run(
        *("app", "run", project.app, "--workerpool", around.workerpool, "--dataset", project.dataset),
        *("--args", "hello", "--category", "0", *project.tag, "--force"),
    )
    matched = time.monotonic()
    task = first_task(ran["deals"][0]["dealid"])

    # The task costs the pool no transaction, so the chain does not know it, and neither does `task debug`.
    core = around.document["services"]["core"]["http"]
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
    assert "No task found" in await iexec.refused("task", "debug", task)


async def names_the_core_of_the_pool(project: Project) -> None:
    """Show the pool's workerpool: compass (or ENS) gives the address of its core."""
    shown = await project.iexec.run("workerpool", "show", project.around.workerpool)
    assert shown["apiUrl"] == project.around.document["services"]["core"]["http"]
