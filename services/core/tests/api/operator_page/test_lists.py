"""Lists of workers, tasks, deals and transactions: filters, pages, and what their rows say."""

import re
from urllib.parse import urljoin

import pytest
from workerpool_core.api.operator_page import paging
from workerpool_core.api.operator_page.paging import PAGE
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task, TaskChange
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_poco.protocol.ids import DealId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus as S

from services.core.tests.doubles.markup import checked, text_of
from services.core.tests.doubles.page_world import NOW, PageWorld, command
from services.core.tests.doubles.page_world import wallet as wallet_of


async def walk(world: PageWorld, signed: dict[str, str], path: str) -> list[list[str]]:
    """Follow the links to the next page; return the links of the rows of each."""
    found = []
    while True:
        answer = await world.get(path, signed)
        assert answer.status == 200
        document = checked(answer.text)
        found.append([link.attrs["href"] for link in document.query("tbody th a")])
        next_page = document.query_one('a[rel="next"]')
        assert (document.query_one(".pager a") is not None) == (len(found) > 1 or next_page is not None)
        if next_page is None:
            return found
        path = urljoin(path, next_page.attrs["href"])


async def test_workers_are_paged_by_wallet(world: PageWorld, signed: dict[str, str]) -> None:
    for number in range(1, 2 * PAGE + 2):
        world.connect(number)
    pages = await walk(world, signed, "/ui/workers")
    assert [len(page) for page in pages] == [PAGE, PAGE, 1]
    everyone = sorted(f"./workers/{wallet_of(number)}" for number in range(1, 2 * PAGE + 2))
    assert [link for page in pages for link in page] == everyone


async def test_tasks_deals_and_transactions_are_paged_newest_first(
    world: PageWorld, signed: dict[str, str]
) -> None:
    for number in range(1, PAGE + 3):
        (task,) = world.buy(number, trust=50)
        world.adapter.known.append(command(task, number))
    for path in ("/ui/tasks?status=open", "/ui/deals"):
        pages = await walk(world, signed, path)
        assert [len(page) for page in pages] == [PAGE, 2], path
        assert len({link for page in pages for link in page}) == PAGE + 2
    transactions = (await world.get("/ui/transactions", signed)).text
    assert len(re.findall("/tasks/0x", transactions)) == PAGE
    assert f"page={PAGE}" in transactions


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {1, 2, 3}),
        ("?q=ALPHA", {1}),
        (f"?q={wallet_of(2)[:42].lower()}", {2}),
        ("?reason=WORKER_PARKED", {3}),
        ("?reason=WORKER_PARKED&q=alpha", set()),
        ("?q=%3Cscript%3E", set()),
    ],
)
async def test_workers_are_found_by_name_wallet_and_reason(
    world: PageWorld, signed: dict[str, str], query: str, found: set[int]
) -> None:
    world.connect(1, name="alpha")
    world.connect(2, name="beta")
    world.connect(3, name="gamma", parked="the disk is full")
    answer = await world.get(f"/ui/workers{query}", signed)
    links = {link.attrs["href"] for link in checked(answer.text).query("tbody th a")}
    assert links == {f"./workers/{wallet_of(number)}" for number in found}


async def test_refused_logins_are_listed_and_lead_to_a_page(world: PageWorld, signed: dict[str, str]) -> None:
    world.refusals.record(
        wallet_of(7), "NOT_WHITELISTED", "the wallet is not on the whitelist", "ipv4:10.0.0.9:1"
    )
    listed = checked((await world.get("/ui/workers", signed)).text)
    assert "NOT_WHITELISTED" in text_of(listed, "#refusals")
    shown = await world.get(f"/ui/workers/{wallet_of(7)}", signed)
    assert "WORKER_REFUSED" in text_of(checked(shown.text), "#now .why")
    assert (await world.get(f"/ui/workers/{wallet_of(8)}", signed)).status == 404


async def test_tasks_are_filtered(world: PageWorld, signed: dict[str, str]) -> None:
    world.connect(1, slots=1)
    (first,) = world.buy(1, trust=1)
    (second,) = world.buy(2, trust=50, requester=wallet_of(901))

    async def ids(query: str) -> set[str]:
        answer = await world.get(f"/ui/tasks?{query}", signed)
        return set(re.findall(r"tasks/(0x\w+)", answer.text))

    assert await ids("") == {first, second}
    world.report(1, first, R.STARTING, R.STARTED)
    assert await ids("status=RUNNING") == {first}
    assert await ids(f"deal=0x{2:064X}".replace("0X", "0x")) == {second}
    assert await ids(f"requester={wallet_of(901).lower()}") == {second}
    assert await ids(f"worker={wallet_of(1)}") == {first}
    assert await ids("status=COMPLETED") == set()


@pytest.mark.parametrize(
    "path",
    [
        "/ui/tasks?status=nonsense",
        "/ui/tasks?deal=0x1",
        "/ui/tasks?worker=me",
        "/ui/tasks?requester=0x1",
        "/ui/tasks?page=nonsense",
        "/ui/workers?reason=APP_FAILED",
        "/ui/workers?page=nonsense",
        "/ui/deals?requester=0x1",
        "/ui/deals?page=nonsense",
        "/ui/deals/0x1",
        "/ui/transactions?state=nonsense",
    ],
)
async def test_a_malformed_filter_is_explained(world: PageWorld, signed: dict[str, str], path: str) -> None:
    answer = await world.get(path, signed)
    assert answer.status == 400
    assert text_of(checked(answer.text), ".problem")


async def test_a_failed_task_says_why_in_the_list(world: PageWorld, signed: dict[str, str]) -> None:
    terms = deal_terms(DealId(f"0x{1:064x}"), start=NOW, execution_s=300, block=5)
    failed = Task(tasks_of(terms)[0], 0, terms, [TaskChange(S.RECEIVED, NOW), TaskChange(S.FAILED, NOW + 9)])
    tried = [
        ReplicateChange(R.CREATED, NOW, Modifier.POOL_MANAGER),
        ReplicateChange(R.APP_DOWNLOAD_FAILED, NOW, Modifier.WORKER, C.APP_IMAGE_DOWNLOAD_FAILED),
    ]
    writes: list[d.Write] = [
        d.TaskCreated(failed),
        d.ReplicateCreated(Replicate(failed.task_id, wallet_of(1), 2, tried)),
    ]
    world.commit.put(d.Outcome(writes, []))
    answer = await world.get("/ui/tasks?status=FAILED", signed)
    assert "app image download failed" in text_of(checked(answer.text), "td.why")


async def test_the_complete_output_of_a_worker_is_plain_text(
    world: PageWorld, signed: dict[str, str]
) -> None:
    (task,) = world.buy(1)
    long = "\n".join(f"line {number}" for number in range(1_000))
    world.ledger.logs[task, wallet_of(1)] = (long, "<b>")
    page = await world.get(f"/ui/tasks/{task}", signed)
    assert "line 999" in page.text
    assert "line 1\n" not in page.text
    href = next(a.attrs["href"] for a in checked(page.text).query("#logs a"))
    whole = await world.get("/ui/tasks/" + href.removeprefix("../tasks/"), signed)
    assert (whole.text, whole.headers["content-type"]) == (long, "text/plain; charset=utf-8")
    missing = await world.get(f"/ui/tasks/{task}/logs/{wallet_of(2)}/stdout", signed)
    nonsense = await world.get(f"/ui/tasks/{task}/logs/{wallet_of(1)}/stdin", signed)
    assert (missing.status, nonsense.status) == (404, 400)


async def test_a_deal_counts_the_reasons_of_its_tasks(world: PageWorld, signed: dict[str, str]) -> None:
    world.buy(1, bot_size=3)
    shown = checked((await world.get(f"/ui/deals/0x{1:064x}", signed)).text)
    assert text_of(shown, '#now [role="status"]') == "3 INITIALIZED"
    assert text_of(shown, "tbody tr").startswith("3 No worker is connected.")
    assert (await world.get(f"/ui/deals/0x{9:064x}", signed)).status == 404


async def test_transactions_show_what_they_are_for(world: PageWorld, signed: dict[str, str]) -> None:
    world.adapter.known = [
        command("0x" + "aa" * 32, 1),
        command("0x" + "bb" * 32, 2, state="FAILURE", reason="TASK_NOT_ACTIVE", message="it is closed"),
        command("0x" + "cc" * 32, 3, kind="CANCEL_ORDER"),
        command("0x" + "dd" * 32, 4, kind="42", state="7"),
    ]
    page = checked((await world.get("/ui/transactions", signed)).text)
    rows = [" ".join(row.to_text().split()) for row in page.query("tbody tr")]
    assert "CANCEL_ORDER SUCCESS order 0xcccccccc…cccccc" in rows[1]
    assert "FAILURE TASK_NOT_ACTIVE It is closed. task 0xbbbbbbbb…bbbbbb" in rows[2]
    failures = await world.get("/ui/transactions?state=FAILURE", signed)
    assert len(checked(failures.text).query("tbody tr")) == 1


async def test_the_wallet_shows_stake_balance_and_what_hinders_sending(
    world: PageWorld, signed: dict[str, str]
) -> None:
    world.adapter.state = world.adapter.state_with(
        parked_reason="the balance is too low", transactions_left=None
    )
    text = text_of(checked((await world.get("/ui/wallet", signed)).text), "main")
    for part in (
        "Balance 2.5 coins of the chain (2500000000000000000 wei)",
        "Free stake 12.5 RLC (12500000000 nRLC)",
        "Locked stake 0.5 RLC (500000000 nRLC)",
        "It sends nothing: The balance is too low.",
        "Transactions that the balance pays for no limit, because gas is free",
        "Oldest of them sent 1 min ago",
    ):
        assert part in text, part


def test_links_to_pages_keep_the_filters() -> None:
    assert paging.link({"q": "a b", "reason": ""}, "t+") == "?q=a+b&page=t%2B"
    assert paging.next_link({"q": "a"}, "") == ""
