"""One request: the words of a refusal, and a limit of the answer's size."""

import pytest
from aiohttp import web
from workerpool_order_publisher.adapters.market import market_http
from workerpool_order_publisher.adapters.market.market_http import MarketHttp
from workerpool_order_publisher.app.ports import MarketOutage

from services.order_publisher.tests.adapters.market.conftest import Client


async def test_a_refusal_without_words_is_named_by_its_status(client: Client) -> None:
    client.market.answer = lambda _request: web.json_response({}, status=418)
    answer = await client.http.get("/challenge")
    assert (answer.status, answer.error) == (418, "HTTP status 418")


async def test_a_huge_answer_is_not_read_to_its_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_http, "_MAX_BYTES", 1000)
    client.market.answer = lambda _request: web.Response(text="x" * 5000)
    with pytest.raises(MarketOutage, match="larger than 1000 bytes"):
        await client.http.get("/challenge")


@pytest.mark.parametrize(("no_proxy", "proxied"), [("", True), ("market.example", False)])
async def test_a_market_outside_is_reached_through_the_operator_s_proxy(
    client: Client, monkeypatch: pytest.MonkeyPatch, no_proxy: str, proxied: bool
) -> None:
    """The market of the test is the proxy: it gets the request that is meant for a host that does not exist."""
    monkeypatch.setenv("http_proxy", client.market.url)
    monkeypatch.setenv("no_proxy", no_proxy)
    outside = MarketHttp("http://market.example:1", 65535, limit_s=10)
    if proxied:
        assert (await outside.get("/challenge")).status == 200
    else:
        with pytest.raises(MarketOutage, match="failed"):
            await outside.get("/challenge")
    await outside.close()
    assert len(client.market.requests) == int(proxied)


async def test_a_market_on_this_host_is_reached_directly(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await client.http.get("/challenge")).status == 200
