"""The HTTP form of the market: status codes, errors in words, challenges, browsers."""

import json
from pathlib import Path
from typing import Any

import pytest
from devnet.tests.order_book.market_client import Client
from starlette.routing import Route
from workerpool_devnet.order_book.book import Book
from workerpool_devnet.order_book.challenges import Challenges
from workerpool_devnet.order_book.facts import ChainFacts
from workerpool_devnet.order_book.market import OrderBook
from workerpool_devnet.order_book.routes import routes
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.orders import order_domain


def test_every_path_of_the_sdk_is_served(tmp_path: Path) -> None:
    hub = HubClient("http://127.0.0.1:1", "0x" + "11" * 20)
    book = Book(tmp_path / "orders")
    market = OrderBook(order_domain(1, hub.hub_address), book, ChainFacts(hub), Challenges(1, lambda: 0.0))
    paths = {route.path for route in routes(market) if isinstance(route, Route)}
    book.close()
    kinds = ("app", "dataset", "workerpool", "request")
    assert paths == {"/challenge", "/deals"} | {
        f"/{kind}orders{rest}" for kind in kinds for rest in ("", "/{order_hash}")
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "status"),
    [
        ("GET", "/workerpoolorders", None, {"chainId": "1"}, 400),
        ("GET", "/workerpoolorders", None, {"pageSize": "5"}, 400),
        ("GET", "/challenge", None, {"address": "0x1"}, 400),
        ("GET", "/deals", None, {"requester": "0x1"}, 400),
        ("GET", "/deals", None, {"apporderHash": "0x1"}, 400),
        ("GET", "/deals", None, {"colour": "red"}, 400),
        ("GET", "/apporders/0x12", None, {}, 400),
        ("GET", "/apporders/0x" + "00" * 32, None, {}, 404),
        ("POST", "/workerpoolorders", {"order": {}}, {}, 401),
        ("PUT", "/workerpoolorders", {"target": "unpublish_all"}, {}, 401),
        ("POST", "/workerpoolorders", [], {}, 400),
    ],
)
async def test_a_bad_request_is_refused_with_a_sentence(
    client: Client, method: str, path: str, body: Any, query: dict[str, Any], status: int
) -> None:
    found, answer = await client.call(method, path, body, **query)
    assert found == status
    assert answer["ok"] is False
    assert len(answer["error"].split()) > 3


async def test_a_browser_may_use_the_market(client: Client) -> None:
    headers = {"Origin": "https://explorer.example", "Access-Control-Request-Method": "PUT"}
    headers["Access-Control-Request-Headers"] = "authorization,content-type"
    async with client.http.options(f"{client.url}/apporders", headers=headers) as response:
        assert response.ok
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "PUT" in response.headers["Access-Control-Allow-Methods"]
        allowed = response.headers["Access-Control-Allow-Headers"].lower()
        assert "authorization" in allowed
    async with client.http.get(
        f"{client.url}/apporders?chainId=1", headers={"Origin": "https://explorer.example"}
    ) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_challenge_counts_once_over_http(client: Client) -> None:
    headers = {"Authorization": await client.authorization(client.owner)}
    url = f"{client.url}/workerpoolorders?chainId={client.chain.chain_id}"
    statuses = []
    for offer in (client.offer(), client.offer()):
        body = json.dumps({"order": offer.to_json()})
        async with client.http.post(url, data=body, headers=headers) as response:
            statuses.append(response.status)
    assert statuses == [200, 401]
