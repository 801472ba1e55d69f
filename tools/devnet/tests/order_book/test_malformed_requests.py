"""No request makes the market fail: each is answered or refused in words."""

import json
import random
from typing import Any

import pytest
from devnet.tests.order_book.market_client import Client
from workerpool_devnet.order_book.entries import OrderKind

SEEDS = range(4)
PER_SEED = 60
NAMES = (
    *("app", "dataset", "workerpool", "requester", "beneficiary", "appOwner", "workerpoolOwner", "category"),
    *("minTag", "maxTag", "minVolume", "minTrust", "isAppStrict", "isRequesterStrict", "pageIndex", "page"),
    *("pageSize", "bulkOnly", "apporderHash", "requestorderHash", "address", "chainId"),
)


def odd_value(draw: random.Random, client: Client) -> Any:
    return draw.choice(
        [
            *(
                None,
                True,
                -1,
                0,
                1.5,
                2**300,
                [],
                {},
                "",
                "0x",
                "any",
                "0x12",
                "\ud800",
                "\0",
                "٣",
                "9" * 400,
            ),
            *(
                client.pool,
                client.app.lower(),
                "0x" + "0" * 64,
                "0x" + "f" * 40,
                "unpublish_all",
                float("inf"),
            ),
        ]
    )


def text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_queries_are_answered_or_refused(client: Client, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(PER_SEED):
        path = draw.choice(["/challenge", "/deals", *(f"/{kind.plural}" for kind in OrderKind)])
        path += draw.choice(["", "", f"/{text(draw.choice(NAMES))}"])
        query: dict[str, Any] = {
            name: text(odd_value(draw, client)) for name in draw.sample(NAMES, draw.randint(0, 4))
        }
        status, answer = await client.call("GET", path, **query)
        assert status < 500, (path, query, answer)
        assert status == 200 or answer["error"], (path, query)


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_orders_are_refused(client: Client, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(PER_SEED // 3):
        kind = draw.choice(list(OrderKind))
        order = client.offer().to_json()
        for name in draw.sample(sorted(order), draw.randint(1, 3)):
            order[name] = odd_value(draw, client)
        body: Any = draw.choice([{"order": order}, {"order": order}, {"order": []}, order, None, "text", 5])
        method = draw.choice(["POST", "POST", "PUT"])
        if method == "PUT":
            body = {"target": odd_value(draw, client), "orderHash": odd_value(draw, client)}
            body["workerpool"] = odd_value(draw, client)
        wallet = client.owner if draw.random() < 0.8 else None
        try:
            json.dumps(body)
        except ValueError:
            continue
        status, answer = await client.call(method, f"/{kind.plural}", body, wallet=wallet)
        assert 400 <= status < 500 or answer["ok"], (method, body, answer)
        assert status < 500, (method, body, answer)
