"""What the market does, over HTTP and against a real chain."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from devnet.tests.order_book.market_client import Client, running_market, settings_of
from workerpool_devnet.order_book.entries import Order, OrderKind
from workerpool_devnet.order_book.service import serving
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.orders import (
    AppOrder,
    DatasetOrder,
    RequestOrder,
    WorkerpoolOrder,
    order_domain,
)


async def test_an_offer_is_published_found_and_shown(client: Client) -> None:
    offer = client.offer(workerpoolprice=3, volume=2)
    order_hash = await client.published(offer)
    assert order_hash == to_hex(offer.hash(client.domain))
    (found,) = await client.offers(category="0")
    assert found["orderHash"] == order_hash
    assert found["remaining"] == 2
    assert found["status"] == "open"
    assert found["signer"] == client.owner.address
    assert WorkerpoolOrder.from_json(found["order"]) == offer
    status, shown = await client.call("GET", f"/workerpoolorders/{order_hash}")
    assert (status, shown) == (200, {"ok": True, **found})


async def test_the_answer_to_a_query_is_sorted_filtered_and_cut_into_pages(client: Client) -> None:
    prices = [4, 0, 7, 0, 5, 6, 3, 2, 9, 8, 1]
    hashes = [await client.published(client.offer(workerpoolprice=price)) for price in prices]
    await client.published(client.offer(category=5))
    status, answer = await client.call("GET", "/workerpoolorders", category="0", pageSize="10")
    assert (status, answer["count"], answer["nextPage"]) == (200, 11, 1)
    ranked = sorted(range(11), key=lambda place: (prices[place], place))
    assert [each["orderHash"] for each in answer["orders"]] == [hashes[place] for place in ranked[:10]]
    status, last = await client.call("GET", "/workerpoolorders", category="0", pageSize="10", pageIndex="1")
    assert [each["orderHash"] for each in last["orders"]] == [hashes[ranked[10]]]
    assert "nextPage" not in last


async def test_remaining_follows_matches_and_a_used_up_offer_is_not_answered(client: Client) -> None:
    offer = client.offer(volume=3)
    order_hash = await client.published(offer)
    deal_id = client.match(offer, 2)
    (found,) = await client.offers()
    assert found["remaining"] == 1
    assert await client.offers(minVolume="2") == []
    client.match(offer, 1)
    assert await client.offers() == []
    _, shown = await client.call("GET", f"/workerpoolorders/{order_hash}")
    assert (shown["remaining"], shown["status"]) == (0, "filled")
    _, answer = await client.call("GET", "/deals", workerpoolorderHash=order_hash)
    assert answer["count"] == 2
    assert answer["deals"][1]["dealid"] == deal_id
    assert answer["deals"][1]["volume"] == 2


async def test_a_reorganisation_gives_the_volume_back(client: Client) -> None:
    offer = client.offer()
    await client.published(offer)
    snapshot = client.chain.chain.snapshot()
    client.match(offer, 1)
    assert await client.offers() == []
    client.chain.chain.revert(snapshot)
    assert len(await client.offers()) == 1


async def test_an_order_cancelled_on_chain_is_not_answered(client: Client) -> None:
    offer = client.offer(volume=5)
    order_hash = await client.published(offer)
    client.match(offer, 1)
    client.send(abi.HUB.encode("manageWorkerpoolOrder", (offer.calldata(), 1, offer.sign)))
    assert await client.offers() == []
    _, shown = await client.call("GET", f"/workerpoolorders/{order_hash}")
    assert shown["status"] == "canceled"


async def test_an_offer_whose_stake_is_gone_is_not_answered(client: Client) -> None:
    order_hash = await client.published(client.offer(workerpoolprice=100))
    stake = client.chain.market.hub.functions.viewAccount(client.owner.address).call()[0]
    client.send(abi.HUB.encode("withdraw", stake - 29))
    assert await client.offers() == []
    _, shown = await client.call("GET", f"/workerpoolorders/{order_hash}")
    assert shown["status"] == "dead"


async def test_orders_are_withdrawn_by_hash_the_last_one_or_all(client: Client) -> None:
    first, second, third, fourth = [await client.published(client.offer()) for _ in range(4)]
    path = "/workerpoolorders"
    by_hash = {"target": "unpublish_orderHash", "orderHash": second}
    for body, gone in (
        (by_hash, [second]),
        ({"target": "unpublish_last", "workerpool": client.pool}, [fourth]),
        ({"target": "unpublish_all", "workerpool": client.pool.lower()}, [first, third]),
    ):
        status, answer = await client.call("PUT", path, body, wallet=client.owner)
        assert (status, answer) == (200, {"ok": True, "unpublished": gone})
    assert await client.offers() == []
    for body in (by_hash, {"target": "unpublish_all", "workerpool": client.pool}):
        status, answer = await client.call("PUT", path, body, wallet=client.owner)
        assert (status, answer["ok"]) == (404, False)
    status, _ = await client.call("GET", f"{path}/{first}")
    assert status == 404


async def test_a_used_up_order_cannot_be_withdrawn(client: Client) -> None:
    open_hash = await client.published(client.offer())
    used_up = client.offer()
    order_hash = await client.published(used_up)
    client.match(used_up, 1)
    path, last = "/workerpoolorders", {"target": "unpublish_last", "workerpool": client.pool}
    by_hash = {"target": "unpublish_orderHash", "orderHash": order_hash}
    status, _ = await client.call("PUT", path, by_hash, wallet=client.owner)
    assert status == 404
    _, answer = await client.call("PUT", path, last, wallet=client.owner)
    assert answer["unpublished"] == [open_hash]
    _, shown = await client.call("GET", f"{path}/{order_hash}")
    assert shown["status"] == "filled"


async def test_a_wallet_cannot_withdraw_the_orders_of_another_one(client: Client) -> None:
    order_hash = await client.published(client.offer())
    body = {"target": "unpublish_orderHash", "orderHash": order_hash}
    status, _ = await client.call("PUT", "/workerpoolorders", body, wallet=client.requester)
    assert status == 404
    assert len(await client.offers()) == 1


async def test_only_the_owner_publishes(client: Client) -> None:
    assert client.owner.address in await client.refused(client.offer(), wallet=client.requester)
    foreign = replace(client.offer(), sign=b"")
    assert "sign it again" in await client.refused(foreign.signed(client.requester, client.domain))
    assert "sign it again" in await client.refused(replace(client.offer(), workerpoolprice=9))
    assert "sign it again" in await client.refused(replace(client.offer(), sign=b"\1\2"))
    other_hub = order_domain(client.chain.chain_id, client.pool)
    assert "sign it again" in await client.refused(foreign.signed(client.owner, other_hub))
    unknown = client.offer(workerpool=client.app)
    assert "registered" in await client.refused(unknown)
    assert await client.offers() == []


async def test_an_order_signed_in_advance_on_chain_needs_no_signature(client: Client) -> None:
    offer = replace(client.offer(), sign=b"")
    assert "sign it again" in await client.refused(offer)
    client.send(abi.HUB.encode("manageWorkerpoolOrder", (offer.calldata(), 0, b"")))
    await client.published(offer)


async def test_an_order_that_can_never_be_matched_is_refused(client: Client) -> None:
    offer = client.offer(volume=2)
    client.match(offer, 2)
    assert "2 of 2" in await client.refused(offer)
    stake = client.chain.market.hub.functions.viewAccount(client.owner.address).call()[0]
    exact = client.offer(workerpoolprice=10, volume=stake // 3)
    assert "nRLC" in await client.refused(client.offer(workerpoolprice=10, volume=stake // 3 + 1))
    await client.published(exact)
    assert "already" in await client.refused(exact)
    assert "category" in await client.refused(client.offer(category=99))


async def test_a_wallet_has_fifty_open_orders_at_most(client: Client) -> None:
    offers = [client.offer() for _ in range(51)]
    for offer in offers[:50]:
        await client.published(offer)
    assert "50" in await client.refused(offers[50])
    client.match(offers[0], 1)
    await client.published(offers[50])


async def test_the_other_kinds_of_orders_are_published_too(client: Client) -> None:
    owner = client.requester
    dataset = client.chain.market.create_dataset(owner, "data", "https://example.org/data")
    orders: dict[OrderKind, tuple[Order, dict[str, Any]]] = {
        OrderKind.APP: (AppOrder(app=client.app, workerpoolrestrict=client.pool), {"app": client.app}),
        OrderKind.DATASET: (DatasetOrder(dataset=dataset), {"datasetOwner": owner.address}),
        OrderKind.REQUEST: (
            RequestOrder(app=client.app, requester=owner.address, params="{}", workerpoolmaxprice=1),
            {"requester": owner.address, "category": "0"},
        ),
    }
    for kind, (order, query) in orders.items():
        order_hash = await client.published(order.signed(owner, client.domain), kind, wallet=owner)
        _, answer = await client.call("GET", f"/{kind.plural}", workerpool=client.pool, **query)
        assert [each["orderHash"] for each in answer["orders"]] == [order_hash]
        body = {
            "target": "unpublish_all",
            kind.resource_field: answer["orders"][0]["order"][kind.resource_field],
        }
        _, answer = await client.call("PUT", f"/{kind.plural}", body, wallet=owner)
        assert answer["unpublished"] == [order_hash]


async def test_the_orders_survive_a_restart(fresh_poco_chain: PocoChain, tmp_path: Path) -> None:
    journal = tmp_path / "orders"
    async with running_market(fresh_poco_chain, journal) as client:
        order_hash = await client.published(client.offer())
    async with serving(settings_of(fresh_poco_chain, journal)) as port, aiohttp.ClientSession() as http:
        client.url, client.http = f"http://127.0.0.1:{port}", http
        assert [each["orderHash"] for each in await client.offers()] == [order_hash]
