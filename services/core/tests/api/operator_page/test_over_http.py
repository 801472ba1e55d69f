"""The page on a real port, over a real store."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from workerpool_core.adapters.mongo.documents import WorkerDocument
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Replicate, Task
from workerpool_poco.chain.wallet import Wallet

from services.core.tests.api.operator_page.served_page import ServedPage, served
from services.core.tests.doubles.markup import checked, text_of


@pytest.fixture
async def page(api: Any) -> AsyncIterator[ServedPage]:
    async with served(api) as page:
        yield page


async def test_a_drain_on_the_page_is_stored_and_the_worker_is_distinguished(
    page: ServedPage, api: Any, wallet: Wallet
) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    await page.sign_in()
    shown = checked((await page.get(f"/ui/workers/{wallet.address}")).text)
    token = shown.query_one('input[name="form_token"]').attrs["value"]
    ordered = await page.post(f"/ui/workers/{wallet.address}/drain", {"form_token": token, "seconds": "3600"})
    assert ordered.status == 303
    await api.commit.visible()
    stored = WorkerDocument.objects(wallet=wallet.address).as_pymongo().first()
    assert stored["drained_until"] == api.clock.now() + 3_600
    shown = checked((await page.get(f"/ui/workers/{wallet.address}")).text)
    assert text_of(shown, "#state [role=status]") == "connected, drained"
    assert "WORKER_DRAINED" in text_of(shown, "#state .why")


async def test_tasks_deals_and_logs_come_from_the_store(
    page: ServedPage,
    api: Any,
    make_task: Callable[..., Task],
    make_replicate: Callable[..., Replicate],
    wallet: Wallet,
) -> None:
    task = make_task(requester=wallet.address)
    replicate = make_replicate(task)
    logs = d.LogsStored(task.task_id, replicate.wallet, "what the app <b>wrote</b>", "")
    api.commit.put(d.Outcome([d.TaskCreated(task), d.ReplicateCreated(replicate), logs], []))
    await api.commit.drained()
    await page.sign_in()
    listed = await page.get(f"/ui/tasks?requester={wallet.address}")
    assert re.findall(r"tasks/(0x\w+)", listed.text) == [task.task_id]
    assert task.terms.deal_id in (await page.get("/ui/deals")).text
    assert (
        text_of(checked((await page.get(f"/ui/deals/{task.terms.deal_id}")).text), "#now p") == "1 RECEIVED"
    )
    shown = await page.get(f"/ui/tasks/{task.task_id}")
    assert text_of(checked(shown.text), "pre") == "what the app <b>wrote</b>"


async def test_pages_of_other_origins_read_nothing_of_a_session(page: ServedPage) -> None:
    await page.sign_in()
    async with page.browser.get(
        f"{page.url}/ui/workers", headers={"origin": "https://evil.example"}
    ) as answer:
        assert "access-control-allow-credentials" not in answer.headers


async def test_the_documented_routes_stay_as_they_are(page: ServedPage) -> None:
    assert (await page.get("/metrics")).headers["content-type"] == "application/json"
    assert (await page.get("/version")).text == "1"
    assert (await page.get("/nothing")).headers["content-type"] == "application/json"
