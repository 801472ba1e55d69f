"""The deal service: deals with their tasks by status, and why those that wait or failed do so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Task, TaskChange
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatusCause, TaskStatus
from workerpool_protocol.core.v1 import deal_service_pb2 as pb
from workerpool_protocol.core.v1 import reason_pb2 as reasons

MakeTask = Callable[..., Task]
FAILED = (TaskStatus.INITIALIZE_FAILED, TaskStatus.FAILED)


async def write(api: Any, *tasks: Task) -> None:
    api.commit.put(d.Outcome([d.TaskCreated(task) for task in tasks], []))
    await api.commit.drained()


def failed(task: Task, index: int, cause: ReplicateStatusCause) -> Task:
    """Return a task of the same deal that ended for a cause."""
    history = [*task.history, *(TaskChange(status, 9.0) for status in FAILED)]
    task_id = TaskId(f"0x{9000 + index:064x}")
    return replace(task, task_id=task_id, index=index, history=history, error_cause=cause)


async def test_a_deal_is_read_with_its_terms_and_counts(api: Any, make_task: MakeTask) -> None:
    task = make_task(3, trust=2, bot_size=2)
    await write(api, task, failed(task, 1, ReplicateStatusCause.UNKNOWN_SMS))
    found = (await api.deals.GetDeal(pb.GetDealRequest(deal_id=task.terms.deal_id))).deal
    assert (found.deal_id, found.block, found.trust, found.bot_size) == (task.terms.deal_id, 3, 2, 2)
    assert found.start_time.seconds == int(task.terms.start_time)
    assert dict(found.tasks_by_status) == {"RECEIVED": 1, "FAILED": 1}
    (listed,) = (await api.deals.ListDeals(pb.ListDealsRequest())).deals
    assert listed == found


async def test_failed_tasks_of_a_deal_are_counted_by_reason(api: Any, make_task: MakeTask) -> None:
    task = make_task(3, bot_size=9)
    causes = [ReplicateStatusCause.UNKNOWN_SMS] + [ReplicateStatusCause.TEE_PREPARATION_FAILED] * 2
    await write(api, *(failed(task, index, cause) for index, cause in enumerate(causes)))
    response = await api.deals.GetDeal(pb.GetDealRequest(deal_id=task.terms.deal_id))
    assert [(each.reason.code, each.tasks) for each in response.reasons] == [
        (reasons.REASON_CODE_POOL_FAILED, 2),
        (reasons.REASON_CODE_NO_SMS, 1),
    ]
    assert response.reasons[1].task_id == f"0x{9000:064x}"


async def test_waiting_and_queued_tasks_of_a_live_deal_are_reported(api: Any, make_task: MakeTask) -> None:
    terms = replace(make_task(3).terms, bot_size=1_000, contribution_deadline=2e9, final_deadline=3e9)
    api.engine.submit(e.BlockSeen(20, "0x20", 1e9, deals=(e.DealSeen(terms),)))
    await api.commit.drained()
    response = await api.deals.GetDeal(pb.GetDealRequest(deal_id=terms.deal_id))
    created = sum(response.deal.tasks_by_status.values())
    assert created > 0
    assert response.deal.queued_tasks == 1_000 - created
    (counted,) = response.reasons
    assert (counted.reason.code, counted.tasks) == (reasons.REASON_CODE_WAITING_FOR_INITIALIZE, created)


async def test_pages_of_deals_cover_the_list_without_gap(api: Any, make_task: MakeTask) -> None:
    await write(api, *(make_task(number) for number in range(1, 8)))
    seen: list[int] = []
    token = ""
    while not seen or token:
        page = await api.deals.ListDeals(pb.ListDealsRequest(page_size=3, page_token=token))
        seen += [deal.block for deal in page.deals]
        token = page.next_page_token
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_a_page_is_limited_by_the_size_of_a_message(api: Any, make_task: MakeTask) -> None:
    await write(api, *(make_task(number, command_line="x" * 900_000) for number in range(1, 7)))
    seen: list[int] = []
    token = ""
    while not seen or token:
        page = await api.deals.ListDeals(pb.ListDealsRequest(page_token=token))
        seen += [deal.block for deal in page.deals]
        token = page.next_page_token
    assert seen == [6, 5, 4, 3, 2, 1]


async def test_deals_of_one_requester_are_listed_in_any_letter_case(api: Any, make_task: MakeTask) -> None:
    other = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"
    await write(api, make_task(1), make_task(2, requester=other))
    page = await api.deals.ListDeals(pb.ListDealsRequest(requester=other.lower()))
    assert [deal.block for deal in page.deals] == [2]


async def test_an_unknown_deal_is_not_found(api: Any) -> None:
    request = pb.GetDealRequest(deal_id="0x" + "00" * 32)
    assert await api.refused(api.deals.GetDeal(request)) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_DEAL")


@pytest.mark.parametrize("token", ["nonsense", "WzEsIDJd", "WzEsICIweCJd"])
async def test_an_invented_page_token_is_refused(api: Any, token: str) -> None:
    request = pb.ListDealsRequest(page_token=token)
    assert await api.refused(api.deals.ListDeals(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "BAD_PAGE_TOKEN",
    )
