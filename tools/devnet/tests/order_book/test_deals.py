"""Deals as the market answers them."""

from typing import Any

import pytest
from devnet.tests.order_book.market_client import Client
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.order_book.deals import DealFilter
from workerpool_devnet.order_book.errors import InvalidQuery
from workerpool_poco.protocol.ids import ZERO_ADDRESS


async def test_deals_are_found_by_their_addresses_newest_first(client: Client) -> None:
    purchase = Purchase(
        requester=client.requester,
        app=client.app,
        app_owner=client.requester,
        workerpool=client.pool,
        pool_owner=client.owner,
        workerpool_price=10,
    )
    made = [client.chain.market.buy(purchase)[0].deal_id for _ in range(2)]

    async def found(**query: Any) -> list[str]:
        _, answer = await client.call("GET", "/deals", **query)
        return [deal["dealid"] for deal in answer["deals"]]

    assert await found(requester=client.requester.address, app=client.app, dataset="any") == made[::-1]
    assert await found(workerpoolOwner=client.owner.address, dataset=ZERO_ADDRESS) == made[::-1]
    assert await found(requester=client.owner.address) == []
    _, answer = await client.call("GET", "/deals", requester=client.requester.address)
    deal = answer["deals"][0]
    assert deal["workerpool"] == {"pointer": client.pool, "owner": client.owner.address, "price": "10"}
    assert deal["blockTimestamp"].endswith("Z")
    assert deal["botSize"] == 1


@pytest.mark.parametrize("query", [{"requester": "0x1"}, {"apporderHash": "0x1"}, {"colour": "red"}])
def test_a_malformed_filter_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidQuery, match="deals"):
        DealFilter.parse(query)


def test_any_and_absent_addresses_match_all_deals() -> None:
    assert DealFilter.parse({"app": "any", "chainId": "65535", "pageSize": "10"}).fields == ()
