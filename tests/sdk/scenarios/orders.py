"""Orders of the user's own resources on the market: published, shown, withdrawn; signed, filled, cancelled."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from http_calls import get

from sdk.project import Project

_OFFER_SECONDS = 60.0


async def publishes_and_withdraws(project: Project) -> None:
    """Publish orders of each resource, find them in the order book, withdraw the last one, then all."""
    first, second, third = [await _publish(project, "app", project.app) for _ in range(3)]
    assert await book(project, "app", project.app) == {first, second, third}
    entry = (await project.iexec.run("order", "show", "--app", first, "--deals"))["apporder"]
    assert entry["order"]["app"] == project.app
    assert (entry["status"], entry["remaining"], entry["deals"]["count"]) == ("open", 3, 0)
    withdrawn = await project.iexec.run("app", "unpublish", project.app, "--force")
    assert withdrawn["unpublished"] == third
    await _withdraws_all(project, "app", project.app, {first, second})
    refused = await project.iexec.refused("app", "unpublish", project.app, "--all", "--force")
    assert refused.startswith("API error: "), refused
    assert "no open app order" in refused

    for noun, address in (("dataset", project.dataset), ("workerpool", project.workerpool)):
        published = {await _publish(project, noun, address) for _ in range(2)}
        assert await book(project, noun, address) == published
        await _withdraws_all(project, noun, address, published)


async def _withdraws_all(project: Project, noun: str, address: str, hashes: set[str]) -> None:
    withdrawn = await project.iexec.run(noun, "unpublish", address, "--all", "--force")
    assert set(withdrawn["unpublished"]) == hashes
    assert await book(project, noun, address) == set()


async def _publish(project: Project, noun: str, address: str) -> str:
    words = [noun, "publish", address, "--price", "7", "--volume", "3", *project.tag, "--force"]
    if noun == "workerpool":
        words += ["--category", project.around.category("XS")]
    return str((await project.iexec.run(*words))["orderHash"])


async def book(project: Project, noun: str, address: str, *filters: str) -> set[str]:
    """Return the hashes of the orders that the order book shows for an address."""
    return {order["orderHash"] for order in await orders(project, noun, address, *filters)}


async def orders(project: Project, noun: str, address: str, *filters: str) -> list[dict[str, Any]]:
    """Return the orders that the order book shows for an address; `noun` is app, dataset, workerpool or requester."""
    shown = await project.iexec.run("orderbook", noun, address, *filters)
    key = "requestOrders" if noun == "requester" else f"{noun}Orders"
    found = shown[key]
    assert isinstance(found, list)
    assert shown["count"] == len(found), "the market counts the orders that it returns"
    return found


async def signs_and_publishes_from_file(project: Project) -> None:
    """Sign the orders of iexec.json into orders.json, publish them from there, withdraw them, cancel one on chain."""
    iexec = project.iexec
    await iexec.run("order", "init")
    project.edit("order", "apporder", app=project.app, volume="2")
    project.edit("order", "datasetorder", dataset=project.dataset, volume="2")
    project.edit("order", "workerpoolorder", workerpool=project.workerpool, volume="2", category="0")
    project.edit("order", "requestorder", app=project.app, workerpool=project.workerpool, category="0")
    signed = await iexec.run("order", "sign")
    assert {"apporder", "datasetorder", "workerpoolorder", "requestorder"} <= signed.keys()

    kinds = ("--app", "--dataset", "--workerpool", "--request")
    published = await iexec.run("order", "publish", *kinds, "--force")
    hashes = {kind: published[f"{kind[2:]}order"]["orderHash"] for kind in kinds}
    shown = await iexec.run("order", "show", *kinds)
    assert {kind: shown[f"{kind[2:]}order"]["orderHash"] for kind in kinds} == hashes
    assert hashes["--request"] in await _requests(project)

    withdrawn = await iexec.run("order", "unpublish", *kinds, "--force")
    assert {kind: withdrawn[f"{kind[2:]}order"]["orderHash"] for kind in kinds} == hashes
    again = await iexec.attempt("order", "unpublish", "--app", "--force")
    assert again.answer["ok"] is False, again
    cancelled = await iexec.run("order", "cancel", "--app", "--force")
    assert cancelled["apporder"]["txHash"]
    refused = await iexec.attempt("order", "publish", "--app", "--force")
    assert refused.answer["ok"] is False, "the market took an order that the chain knows as cancelled"


async def requests_an_execution(project: Project) -> None:
    """Publish a request for an execution by the user's own pool, find it, withdraw it."""
    words = ("--workerpool", project.workerpool, "--args", "hello", "--category", "0", *project.tag)
    answer = await project.iexec.run("app", "request-execution", project.app, *words, "--force")
    order_hash = answer["orderHash"]
    assert order_hash in await _requests(project)
    everywhere = await book(project, "requester", project.user)
    assert order_hash not in everywhere, "no pool may match it but the named one"
    await project.iexec.run("order", "unpublish", "--request", order_hash, "--force")
    assert order_hash not in await _requests(project)


async def _requests(project: Project) -> set[str]:
    """Return the user's requests that are open to any pool or to the user's own."""
    return await book(project, "requester", project.user, "--workerpool", project.workerpool)


async def offered(project: Project) -> None:
    """Wait until the pool offers category 0: the slot of the task before must be free and on offer again."""
    around, deadline = project.around, time.monotonic() + _OFFER_SECONDS
    market = around.document["services"]["market"]["http"]
    chain = around.rpc.web3.eth.chain_id
    path = f"/workerpoolorders?chainId={chain}&workerpool={around.workerpool}&category=0"
    while not (answer := (await get(market + path)).json())["orders"]:
        assert time.monotonic() < deadline, f"the pool has no offer: {answer}"
        await asyncio.sleep(0.2)


async def fills_an_order_of_the_pool(project: Project) -> str:
    """Sign a request for a failing app and match it with an order of the pool's publisher; return the deal's id."""
    around = project.around
    await offered(project)
    offer = (await orders(project, "workerpool", around.workerpool, "--category", "0"))[0]
    deal = await fills(project, offer, args="/bin/sh -c 'echo said; exit 3'")
    left = [
        order["remaining"]
        for order in await orders(project, "workerpool", around.workerpool, "--category", "0")
        if order["orderHash"] == offer["orderHash"]
    ]
    assert not left or left[0] < offer["remaining"], "the remaining volume follows the chain"
    return deal


async def fills(project: Project, offer: dict[str, Any], *, args: str) -> str:
    """Sign orders of the app and of a request, match them with an offer of the pool; return the id of the deal."""
    around, iexec = project.around, project.iexec
    await iexec.run("order", "init")
    project.edit("order", "apporder", app=project.app, volume="1")
    project.edit(
        "order",
        "requestorder",
        app=project.app,
        workerpool=around.workerpool,
        workerpoolmaxprice=str(offer["price"]),
        category="0",
        trust=str(offer["trust"]),
        params={"iexec_args": args},
    )
    await iexec.run("order", "sign", "--app", "--request")
    filled = await iexec.run("order", "fill", "--workerpool", offer["orderHash"], "--force")
    assert filled["volume"] == "1"
    shown = await iexec.run("deal", "show", filled["dealid"])
    assert shown["deal"]["requester"] == project.user
    assert shown["deal"]["workerpool"]["pointer"] == around.workerpool
    return str(filled["dealid"])
