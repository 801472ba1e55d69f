"""The client of the market: what it sends, and that each unusable answer is an outage in one sentence."""

import socket

import pytest
from aiohttp import web
from workerpool_order_publisher.adapters.market.market_http import MarketHttp
from workerpool_order_publisher.app.ports import Listed, MarketOutage, MarketRefusal
from workerpool_poco.protocol.orders import WorkerpoolOrder

from services.order_publisher.tests.adapters.market.conftest import POOL, Client
from services.order_publisher.tests.adapters.market.fake_market import refusal

LISTED = WorkerpoolOrder(workerpool=POOL).to_json()


def listing_of(**fields: object) -> web.Response:
    return web.json_response({"orders": [{"order": LISTED | fields}]})


async def test_an_order_is_published_listed_and_withdrawn(client: Client) -> None:
    order = client.order()
    await client.publish(order)
    assert await client.api.listing() == [
        Listed(order.hash, order.salt, order.terms, order.volume, client.wallet.address)
    ]
    await client.api.unpublish(order.hash)
    assert await client.api.listing() == []


async def test_the_listing_asks_for_every_order_of_the_pool_on_every_page(client: Client) -> None:
    orders = [client.order() for _ in range(205)]
    for order in orders:
        client.market.orders[order.hash] = {"order": client.signer.signed(order), "signer": "0x"}
    assert [found.hash for found in await client.api.listing()] == [order.hash for order in orders]
    method, path, query = client.market.requests[0]
    assert (method, path, query["chainId"], query["workerpool"]) == (
        "GET",
        "/workerpoolorders",
        "65535",
        POOL,
    )
    assert [query[name] for name in ("app", "dataset", "requester")] == ["any"] * 3
    assert len(client.market.requests) == 3


async def test_a_repeated_publication_of_the_same_order_succeeds(client: Client) -> None:
    order = client.order()
    await client.publish(order)
    await client.publish(order)
    assert len(client.market.orders) == 1


async def test_the_withdrawal_of_an_order_that_is_not_there_succeeds(client: Client) -> None:
    await client.api.unpublish(client.order().hash)


async def test_every_order_is_withdrawn_at_once(client: Client) -> None:
    orders = [client.order() for _ in range(2)]
    for order in orders:
        await client.publish(order)
    assert set(await client.api.unpublish_all()) == {order.hash for order in orders}
    assert await client.api.unpublish_all() == []


async def test_a_refusal_carries_the_market_s_words(client: Client) -> None:
    client.market.answer = lambda request: refusal(400, "stake too low") if request.method == "POST" else None
    with pytest.raises(MarketRefusal, match=r"^stake too low$"):
        await client.publish(client.order())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: web.Response(status=500, text="oops"), "HTTP status 500"),
        (lambda: web.Response(status=429, headers={"Retry-After": "17"}), "HTTP status 429"),
        (lambda: web.Response(text="<html>", content_type="text/html"), "not with JSON"),
        (lambda: web.json_response([1]), "is not an object"),
        (lambda: web.Response(text="[" * 1000, content_type="application/json"), "not with JSON"),
        (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}), "not with JSON"),
        (lambda: web.json_response({"ok": True}), "an unreadable order"),
        (lambda: web.json_response({"orders": [{"order": {"salt": 5}}]}), "an unreadable order"),
        (lambda: web.json_response({"orders": [], "nextPage": "x"}), "an unreadable order"),
        (lambda: web.Response(text='{"orders": [], "nextPage": 1e999}'), "an unreadable order"),
        (lambda: listing_of(volume=float("inf")), "an unreadable order"),
        (lambda: listing_of(salt=10**12), "an unreadable order"),
        (lambda: refusal(403, "banned"), "banned"),
    ],
)
async def test_an_unusable_listing_is_an_outage(client: Client, answer: object, words: str) -> None:
    client.market.answer = lambda _request: answer()  # type: ignore[operator]
    with pytest.raises(MarketOutage, match=words) as outage:
        await client.api.listing()
    assert outage.value.retry_after_s == (17.0 if "429" in words else None)
    assert "\n" not in str(outage.value)


async def test_a_listing_without_end_is_an_outage(client: Client) -> None:
    client.market.answer = lambda _request: web.json_response({"orders": [], "nextPage": 1})
    with pytest.raises(MarketOutage, match="pages"):
        await client.api.listing()


async def test_a_listed_order_of_another_pool_is_an_outage(client: Client) -> None:
    order = client.order()
    signed = dict(client.signer.signed(order)) | {"workerpool": "0x" + "99" * 20}
    client.market.orders[order.hash] = {"order": signed, "signer": "0x"}
    with pytest.raises(MarketOutage, match="another pool"):
        await client.api.listing()


async def test_a_withdrawal_that_is_refused_has_an_unknown_outcome(client: Client) -> None:
    client.market.answer = lambda request: refusal(401, "who are you") if request.method == "PUT" else None
    with pytest.raises(MarketOutage, match="who are you"):
        await client.api.unpublish(client.order().hash)
    with pytest.raises(MarketOutage, match="who are you"):
        await client.api.unpublish_all()


@pytest.mark.parametrize(
    "data",
    [
        "text",
        {"primaryType": "WorkerpoolOrder", "types": {}, "domain": {}, "message": {}},
    ],
)
async def test_nothing_but_a_challenge_is_signed(client: Client, data: object) -> None:
    client.market.answer = lambda request: (
        web.json_response({"ok": True, "data": data}) if request.path == "/challenge" else None
    )
    with pytest.raises(MarketOutage, match="challenge"):
        await client.publish(client.order())


async def test_no_challenge_is_an_outage(client: Client) -> None:
    client.market.answer = lambda _request: refusal(400, "bad address")
    with pytest.raises(MarketOutage, match="issue a challenge: bad address"):
        await client.publish(client.order())


async def test_a_closed_port_is_an_outage() -> None:
    http = MarketHttp("http://127.0.0.1:9", 65535, limit_s=0.5)
    with pytest.raises(MarketOutage, match="GET /challenge failed"):
        await http.get("/challenge")
    await http.close()


async def test_a_market_that_does_not_answer_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # Connections wait in the queue of the socket, because nothing accepts them.
        http = MarketHttp(f"http://127.0.0.1:{listening.getsockname()[1]}", 65535, limit_s=0.2)
        with pytest.raises(MarketOutage, match=r"no answer within 0\.2 s"):
            await http.get("/challenge")
        await http.close()
