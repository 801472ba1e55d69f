"""An operator runs the pool in a browser: by mouse and by keyboard, in light and in dark, with and without scripts."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from contract.access_table import OPERATOR, OPERATOR_PASSWORD
from e2e.requester import Requester
from patience import PATIENCE_S
from workerpool_devnet.devnet import Devnet

from browser.chromium import Page

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

_JSON = '{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}'
_RESULT = f'echo x > $IEXEC_OUT/r; echo "{_JSON}" > $IEXEC_OUT/computed.json'
TALKS = f"/bin/sh -c 'echo begun; echo careful >&2; sleep 6; echo done; {_RESULT}'"
QUICK = f"/bin/sh -c '{_RESULT}'"
NARROW = 360


def ui(net: Devnet, path: str = "") -> str:
    """Return the address of a page."""
    return f"{net.services['core'].http}/ui/{path}"


async def sign_in(page: Page, net: Devnet) -> None:
    """Sign in by keyboard alone, from the form."""
    await page.open(ui(net, "sign-in"))
    await page.run("document.getElementById('username').focus()")
    await page.write(OPERATOR)
    await page.press("Tab")
    await page.write(OPERATOR_PASSWORD)
    await page.press("Enter", leads_on=True)


async def test_a_keyboard_reaches_everything_in_order(net: Devnet, page: Page) -> None:
    await page.open(ui(net))
    reached = []
    for _ in range(6):
        await page.press("Tab")
        reached.append(await page.focused())
    assert reached[:5] == ["Skip to the content", "Workerpool", "Overview", "Find by id or wallet", "Find"]
    assert reached[5] == "Sign in"
    await page.press("Enter", leads_on=True)
    assert await page.text("h1") == "Sign in"
    for field, value in (("username", OPERATOR), ("password", OPERATOR_PASSWORD)):
        while await page.run("document.activeElement.name") != field:
            await page.press("Tab")
        await page.write(value)
    await page.press("Enter", leads_on=True)
    assert (await page.text("h1"), await page.text(".account span")) == ("Overview", OPERATOR)
    assert await page.run("document.cookie") == ""  # scripts cannot read the session


async def test_output_and_status_of_a_task_update_automatically(
    net: Devnet, requester: Requester, page: Page, pictures: Path
) -> None:
    await sign_in(page, net)
    (task,) = await requester.buy(TALKS)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await page.open(ui(net, f"tasks/{task}"))
            if await page.text("h1") != "Not found":
                break
            await asyncio.sleep(0.1)
    page.troubles.clear()  # the answers until core had read the deal
    await page.run("window.unchanged = true")
    await page.until("document.querySelector('pre')?.innerText.includes('begun')")
    await page.until("document.querySelector('#now .status').innerText === 'COMPLETED'")
    await page.until("document.querySelector('pre').innerText === 'begun\\ndone'")
    assert await page.run("window.unchanged")  # no reload
    timeline = await page.text("#timeline table")
    for event in (
        "RECEIVED",
        "INITIALIZE SUCCESS",
        "COMPUTING",
        "CONTRIBUTED",
        "FINALIZE SUCCESS",
        "COMPLETED",
    ):
        assert event in timeline, event
    await page.run("window.scrollTo(0, 0)")
    await page.screenshot(pictures / "page-task.png")


async def test_updates_keep_the_focus_and_can_be_paused(net: Devnet, page: Page) -> None:
    await sign_in(page, net)
    await page.open(ui(net, "workers"))
    await page.run("document.querySelector('tbody a').focus(); window.focused = document.activeElement")
    asked = len(page.requested)
    async with asyncio.timeout(PATIENCE_S):
        while len(page.requested) < asked + 2:
            await asyncio.sleep(0.05)
    assert await page.run("window.focused === document.activeElement")
    await page.click("#pause")
    assert await page.run("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    assert await page.text("#updated") == "Updates are paused."


async def test_a_drained_worker_gets_no_task_and_the_reason_is_three_clicks_away(
    net: Devnet, requester: Requester, page: Page, pictures: Path
) -> None:
    await sign_in(page, net)
    for wallet in (each.address for each in net.worker_wallets):
        await page.open(ui(net, f"workers/{wallet}"))
        await page.click('form[action$="/drain"] button', leads_on=True)
        assert "drained" in await page.text("#state [role=status]")
    (task,) = await requester.buy(QUICK)
    await page.open(ui(net))
    await page.until("document.querySelector('#tasks').innerText.includes('1 of them waits for a worker')")
    await page.screenshot(pictures / "page-overview.png")
    await page.click('#tasks a[href$="status=open"]', leads_on=True)
    assert "drained" in await page.text("td.why")
    await page.click("tbody th a", leads_on=True)
    assert "ALL_WORKERS_DRAINED" in await page.text("#now .why")
    await page.screenshot(pictures / "page-reason.png")
    for wallet in (each.address for each in net.worker_wallets):
        await page.open(ui(net, f"workers/{wallet}"))
        await page.click('form[action$="/undrain"] button', leads_on=True)
        assert "drained" not in await page.text("#state [role=status]")
    await page.open(ui(net, f"tasks/{task}"))
    await page.until("document.querySelector('#now .status').innerText === 'COMPLETED'")
    log = [
        json.loads(line) for line in (net.logs / "core.log").read_text().splitlines() if line.startswith("{")
    ]
    orders = [line for line in log if line.get("event") == "audit.order_handled"]
    assert [line["method"].rpartition("/")[2] for line in orders] == ["DrainWorker"] * 2 + [
        "UndrainWorker"
    ] * 2
    assert {line["who"] for line in orders} == {OPERATOR}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_accessible(net: Devnet, page: Page, pictures: Path, scheme: str) -> None:
    await page.prefer(scheme)
    found: dict[str, list[str]] = {}

    async def judge(path: str) -> None:
        await page.open(ui(net, path))
        if barriers := await page.barriers():
            found[path] = barriers

    worker = net.worker_wallets[0].address
    for path in ("", "sign-in", "find?q=x"):
        await judge(path)
    await sign_in(page, net)
    await page.open(ui(net, "tasks"))
    task = await page.run("document.querySelector('tbody a').pathname.split('/').at(-1)")
    await page.open(ui(net, "deals"))
    deal = await page.run("document.querySelector('tbody a').pathname.split('/').at(-1)")
    paths = ("", "workers", f"workers/{worker}", "tasks", f"tasks/{task}", "deals", f"deals/{deal}")
    for path in (*paths, "transactions", "wallet", "tasks?status=FAILED", "workers/0x12"):
        await judge(path)
    assert found == {}
    await page.open(ui(net, "workers"))
    await page.screenshot(pictures / f"page-workers-{scheme}.png")
    page.troubles[:] = [
        told for told in page.troubles if " 400 " not in told
    ]  # `find?q=x` and `workers/0x12`


async def test_pages_fit_a_narrow_window(net: Devnet, page: Page) -> None:
    await sign_in(page, net)
    await page.resize(NARROW, 640)
    for path in ("", "workers", "tasks", "transactions", "wallet"):
        await page.open(ui(net, path))
        assert await page.run("document.documentElement.scrollWidth") <= NARROW, path


async def test_everything_works_without_scripts(net: Devnet, page: Page) -> None:
    await page.call("Emulation.setScriptExecutionDisabled", value=True)
    await page.open(ui(net, "sign-in"))
    await page.click("#username")
    await page.write(OPERATOR)
    await page.click("#password")
    await page.write(OPERATOR_PASSWORD)
    await page.press("Enter", leads_on=True)
    wallet = net.worker_wallets[0].address
    await page.open(ui(net, f"workers/{wallet}"))
    await page.click('form[action$="/drain"] button', leads_on=True)
    assert "drained" in await page.text("#state [role=status]")
    await page.click('form[action$="/undrain"] button', leads_on=True)
    assert "drained" not in await page.text("#state [role=status]")
    assert not await page.run("document.querySelector('#updates').checkVisibility()")
    await page.click(".account button", leads_on=True)
    assert await page.text(".account") == "Sign in"


async def test_pages_request_nothing_from_other_hosts(net: Devnet, page: Page) -> None:
    await sign_in(page, net)
    for path in ("", "tasks", "wallet"):
        await page.open(ui(net, path))
    own = urlsplit(ui(net)).netloc
    assert {urlsplit(url).netloc for url in page.requested} == {own}
