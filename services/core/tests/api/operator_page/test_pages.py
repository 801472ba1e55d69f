"""Every page, for strangers and operators: valid, named, escaped, and closed to those whom it does not concern."""

import re
from urllib.parse import urljoin

import pytest
from workerpool_core.api.operator_page.rendering import HEADERS
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

from services.core.tests.doubles.markup import checked, text_of
from services.core.tests.doubles.page_world import PASSWORD, POOL, PageWorld, command, wallet

HOSTILE = "</pre><script>alert(1)</script><b onmouseover='x'>\x00\x1b[31m\u202e\ud800".encode(
    "utf-8", "replace"
).decode()
FOR_OPERATORS = ("workers", "tasks", "deals", "transactions", "wallet")


@pytest.fixture
async def task(world: PageWorld) -> TaskId:
    """A task whose first worker failed, and which a second one computes."""
    world.connect(1)
    (task,) = world.buy(trust=1)
    world.report(1, task, R.STARTING, R.START_FAILED, cause=C.APP_IMAGE_DOWNLOAD_FAILED)
    world.connect(2)
    return task


def paths_of(task: TaskId) -> list[str]:
    return [
        "/ui/",
        "/ui/sign-in",
        "/ui/workers",
        "/ui/workers?reason=WORKER_DRAINED&q=w",
        "/ui/deals",
        f"/ui/deals/0x{1:064x}",
        f"/ui/workers/{wallet(1)}",
        "/ui/tasks",
        "/ui/tasks?status=open",
        f"/ui/tasks/{task}",
        "/ui/transactions",
        "/ui/transactions?state=FAILURE",
        "/ui/wallet",
        "/ui/tasks?status=nonsense",
        f"/ui/workers/{wallet(77)}",
        f"/ui/tasks/0x{'9' * 64}",
    ]


async def test_every_page_is_valid_and_named_for_operators_and_strangers(
    world: PageWorld, signed: dict[str, str], task: TaskId
) -> None:
    world.adapter.known = [command(task, 1), command(task, 2, state="FAILURE")]
    titles = set()
    for headers in ({}, signed):
        for path in paths_of(task):
            answer = await world.get(path, headers)
            assert {name.lower(): value for name, value in HEADERS.items()}.items() <= answer.headers.items()
            if answer.status != 303:
                titles.add(text_of(checked(answer.text), "title"))
    assert {"Overview · Workerpool", "Workers · Workerpool", "Tasks · Workerpool"} <= titles


async def test_hostile_names_messages_and_outputs_are_text(world: PageWorld, signed: dict[str, str]) -> None:
    world.connect(1, name=HOSTILE, version=HOSTILE, os=HOSTILE, parked=HOSTILE)
    world.connect(2)
    (task,) = world.buy(app_uri=HOSTILE, command_line=HOSTILE)
    world.report(
        2, task, R.STARTING, R.START_FAILED, cause=C.APP_IMAGE_DOWNLOAD_FAILED, error_message=HOSTILE
    )
    world.ledger.logs[task, wallet(2)] = (HOSTILE, HOSTILE)
    world.adapter.known = [command(task, 1, state="FAILURE", reason=HOSTILE, message=HOSTILE)]
    world.health.set("adapter", False, problem=HOSTILE, address=HOSTILE, next_step=HOSTILE)
    world.adapter.state = world.adapter.state_with(parked_reason=HOSTILE, chain_shape=HOSTILE)
    seen = 0
    for path in [
        *paths_of(task),
        f"/ui/tasks?deal={'%22%3E%3Cscript%3E'}",
        "/ui/workers?q=%22%3E%3Cscript%3E",
    ]:
        answer = await world.get(path, signed)
        document = checked(answer.text) if answer.status != 303 else None
        assert "<script>alert" not in answer.text
        assert "\x00" not in answer.text
        assert document is None or len(document.query("script")) == 1
        seen += answer.text.count("&lt;script&gt;alert")
    assert seen > 10


async def test_strangers_are_led_to_sign_in_and_back(world: PageWorld, task: TaskId) -> None:
    for name in FOR_OPERATORS:
        answer = await world.get(f"/ui/{name}?page=x")
        assert (answer.status, answer.headers["location"]) == (303, f"./sign-in?next={name}%3Fpage%3Dx")
    answer = await world.get(f"/ui/workers/{wallet(1)}")
    assert answer.headers["location"] == f"../sign-in?next=workers%2F{wallet(1)}"
    logs = await world.get(f"/ui/tasks/{task}/logs/{wallet(1)}/stdout")
    assert (logs.status, logs.headers["location"].partition("?")[0]) == (303, "../../../../sign-in")


async def test_strangers_see_no_more_than_the_documented_routes_tell(world: PageWorld, task: TaskId) -> None:
    world.ledger.logs[task, wallet(1)] = ("private output", "")
    world.health.set("adapter", False, problem="the problem", address="http://adapter:13010")
    world.adapter.known = [command(task, 1)]
    terms = world.engine.tasks[task].terms
    overview = (await world.get("/ui/")).text
    page = (await world.get(f"/ui/tasks/{task}")).text
    private = [
        "private output",
        "the problem",
        "http://adapter",
        "worker-1",
        POOL,
        terms.requester,
        terms.deal_id,
    ]
    for secret in (*private, PASSWORD, command(task, 1).transaction):
        assert secret not in overview, secret
        assert secret not in page, secret
    assert wallet(1) in page  # as GET /tasks/{id} tells


async def test_operators_see_them(world: PageWorld, signed: dict[str, str], task: TaskId) -> None:
    world.ledger.logs[task, wallet(1)] = ("private output", "")
    world.health.set("adapter", False, problem="the problem", address="http://adapter:13010")
    world.adapter.known = [command(task, 1)]
    overview = (await world.get("/ui/", signed)).text
    page = (await world.get(f"/ui/tasks/{task}", signed)).text
    assert "cannot be used: the problem." in overview
    assert POOL in overview
    for shown in (
        "private output",
        "worker-1",
        command(task, 1).transaction,
        world.engine.tasks[task].terms.deal_id,
    ):
        assert shown in page


async def test_every_link_of_every_page_leads_somewhere(
    world: PageWorld, signed: dict[str, str], task: TaskId
) -> None:
    world.adapter.known = [command(task, 1)]
    asked, waiting = set(), {"/ui/"}
    while waiting:
        path = waiting.pop()
        asked.add(path)
        answer = await world.get(path, signed)
        assert answer.status == 200, path
        for href in re.findall(r'href="([^"#]+)"', answer.text):
            waiting |= {urljoin(path, href.replace("&amp;", "&"))} - asked
    assert {f"/ui/tasks/{task}", f"/ui/workers/{wallet(1)}", "/ui/tasks?status=open"} <= asked


async def test_the_reason_of_a_stuck_task_is_two_clicks_from_the_overview(
    world: PageWorld, signed: dict[str, str]
) -> None:
    (task,) = world.buy(trust=50)
    first = checked((await world.get("/ui/", signed)).text)
    (under_way,) = [a.attrs["href"] for a in first.query("a") if "under way" in a.to_text()]
    listed = await world.get(urljoin("/ui/", under_way), signed)
    assert text_of(checked(listed.text), "td.why") == (
        "No worker is connected. Side: pool. Next: The task starts when one connects."
    )
    href = checked(listed.text).query_one("tbody a").attrs["href"]
    shown = await world.get(urljoin("/ui/tasks", href), signed)
    reason = text_of(checked(shown.text), "#now .why")
    assert reason.startswith("No worker is connected. NO_WORKER_CONNECTED Side: pool. connected: 0")
    assert task in shown.text


async def test_a_starting_core_says_so_on_every_page(world: PageWorld, signed: dict[str, str]) -> None:
    world.core._running = None
    world.core.waits_for("its database")
    answer = await world.get("/ui/", signed)
    assert answer.status == 503
    assert "waits for its database" in text_of(checked(answer.text), ".problem")


async def test_an_adapter_that_is_down_is_named_on_every_page_that_needs_it(
    world: PageWorld, signed: dict[str, str], task: TaskId
) -> None:
    world.adapter.problem = "the chain adapter does not answer (UNAVAILABLE); start it"
    wanted = "The chain adapter does not answer (UNAVAILABLE); start it."
    transactions = await world.get("/ui/transactions", signed)
    assert (transactions.status, wanted in transactions.text) == (503, True)
    wallet_page = await world.get("/ui/wallet", signed)
    assert (wallet_page.status, wanted in wallet_page.text, "12.5 RLC" in wallet_page.text) == (
        200,
        True,
        True,
    )
    assert wanted in (await world.get(f"/ui/tasks/{task}", signed)).text
