"""Reads of the pool's orders from the order publisher and the market."""

from typing import Any

import aiohttp
from workerpool_poco.chain.proxies import proxy_of
from workerpool_protocol.order_publisher.v1 import offer_service_pb2 as pb
from workerpool_protocol.order_publisher.v1.offer_service_pb2_grpc import OfferServiceStub

from poolctl.adapters.plain import plain
from poolctl.adapters.services import Services
from poolctl.errors import CommandFailed, Unreachable

Document = dict[str, Any]

_LIMIT_S = 10.0
_PAGES = 50


async def offers(services: Services) -> Document:
    """Return the orders that the publisher keeps, what it may still offer, and why it offers no more."""
    return plain(await services.call("order_publisher", OfferServiceStub, "GetOffers", pb.GetOffersRequest()))


async def market_orders(url: str, query: dict[str, str]) -> list[Document]:
    """Return the open workerpool orders of a market that match a query, as the market publishes them."""
    found: list[Document] = []
    limit = aiohttp.ClientTimeout(total=_LIMIT_S)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session:
            page = 0
            for _ in range(_PAGES):
                async with session.get(
                    f"{url}/workerpoolorders", params=query | {"page": str(page)}, proxy=proxy_of(url)
                ) as answer:
                    document = await answer.json()
                    if answer.status != 200 or not document.get("ok"):
                        raise CommandFailed(
                            f"the market at {url} refuses the question: {document.get('error') or answer.status}",
                            "compare MARKET_API_URL, the chain id and the pool's address",
                        )
                found += document.get("orders", [])
                following = document.get("nextPage")
                if not isinstance(following, int) or following <= page:
                    break
                page = following
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Unreachable(
            f"the market at {url} does not answer: {error or type(error).__name__}", "correct MARKET_API_URL"
        ) from error
    return found
