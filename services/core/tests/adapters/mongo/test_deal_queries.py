"""Deals on a real database: newest first, in pages, with the number of their tasks in each status."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from workerpool_core.adapters.mongo import deal_queries, queries
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import DealPosition, StoredDeal, TaskQuery
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Task
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import TaskStatus

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
OTHER = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"


@pytest.fixture
async def stored(store: Store, make_task: Callable[..., Task]) -> list[Task]:
    """Store deals 1 to 4 of one task each, of which 2 and 3 are in one block, and two more tasks of deal 4."""
    tasks = [
        make_task(1, status=TaskStatus.COMPLETED),
        make_task(2, block=7, requester=OTHER),
        make_task(3, block=7),
        make_task(4, block=9, bot_size=3),
    ]
    for index, status in ((1, TaskStatus.RECEIVED), (2, TaskStatus.RUNNING)):
        more = make_task(4, status=status, block=9, bot_size=3)
        tasks.append(replace(more, task_id=TaskId(f"0x{2000 + index:064x}"), index=index))
    writes: list[d.Write] = [d.TaskCreated(task) for task in tasks]
    await store.apply(await store.append(1, store.encode(writes)))
    return tasks


def numbers(found: list[StoredDeal]) -> list[int]:
    return [int(each.terms.deal_id, 16) for each in found]


async def test_deals_come_newest_first_each_once(stored: list[Task]) -> None:
    found = await asyncio.to_thread(deal_queries.deals, "", None, 10)
    assert numbers(found) == [4, 2, 3, 1]
    assert found[0].terms == stored[3].terms
    assert found[0].tasks == {TaskStatus.RECEIVED: 2, TaskStatus.RUNNING: 1}
    assert found[-1].tasks == {TaskStatus.COMPLETED: 1}


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_pages_continue_after_the_last_deal(stored: list[Task], size: int) -> None:
    seen: list[int] = []
    after: DealPosition | None = None
    while page := await asyncio.to_thread(deal_queries.deals, "", after, size):
        seen += numbers(page)
        after = DealPosition(page[-1].terms.block, page[-1].terms.deal_id)
    assert seen == [4, 2, 3, 1]


async def test_deals_of_one_requester(stored: list[Task]) -> None:
    assert numbers(await asyncio.to_thread(deal_queries.deals, WALLET, None, 10)) == [4, 3, 1]
    assert numbers(await asyncio.to_thread(deal_queries.deals, OTHER, None, 10)) == [2]
    after = DealPosition(7, DealId(f"0x{2:064x}"))
    assert numbers(await asyncio.to_thread(deal_queries.deals, WALLET, after, 10)) == [3, 1]


async def test_the_rest_of_a_large_deal_is_skipped(
    stored: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deal_queries, "_SAME", 1)
    assert numbers(await asyncio.to_thread(deal_queries.deals, "", None, 10)) == [4, 2, 3, 1]


async def test_one_deal_is_read_by_its_id(stored: list[Task]) -> None:
    found = await asyncio.to_thread(deal_queries.deal, stored[3].terms.deal_id)
    assert found is not None
    assert (found.terms, sum(found.tasks.values())) == (stored[3].terms, 3)
    assert await asyncio.to_thread(deal_queries.deal, DealId("0x" + "ff" * 32)) is None


async def test_a_search_of_a_list_reads_no_more_than_it_returns(stored: list[Task], store: Store) -> None:
    """Each list has an index that yields its tasks in order, so a page costs as much as it is long."""
    from workerpool_core.adapters.mongo.documents import TaskDocument

    for conditions in (
        {},
        {"status__in": ["RECEIVED", "RUNNING"]},
        {"terms__requester": WALLET},
        {"terms__requester": WALLET, "status__in": ["RECEIVED"]},
    ):
        query = TaskDocument.objects(**conditions).order_by("-terms.block", "deal_id", "index").limit(1)
        plan = await asyncio.to_thread(query.explain)
        stages = str(plan["queryPlanner"]["winningPlan"])
        assert "'SORT'" not in stages, f"{conditions} sorts in memory"
        assert "COLLSCAN" not in stages


@pytest.mark.parametrize("statuses", [("RECEIVED",), ("RECEIVED", "FAILED"), ()])
async def test_tasks_of_a_deal_by_status_are_found_in_an_index(
    stored: list[Task], statuses: tuple[str, ...]
) -> None:
    """A deal may have a million tasks of which few failed: the others are not read."""
    from workerpool_core.adapters.mongo.documents import TaskDocument

    query = TaskQuery(statuses, stored[3].terms.deal_id)
    conditions = {"deal_id": query.deal_id} | ({"status__in": list(statuses)} if statuses else {})
    found = TaskDocument.objects(**conditions).order_by("index").hint(queries._index_of(query)).limit(1)
    plan = await asyncio.to_thread(found.explain)
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalDocsExamined"] == 1
