"""GetOffers: for the operator only, with every order that can still be bought."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_kit.access.authenticators import OPERATOR, BasicAuthenticator
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_kit.grpc.server import GrpcServer
from workerpool_order_publisher.api import offer_service
from workerpool_order_publisher.app.offers import Offers
from workerpool_order_publisher.domain.order_book import Order, OrderState, Terms
from workerpool_protocol.order_publisher.v1 import offer_service_pb2 as pb
from workerpool_protocol.order_publisher.v1.offer_service_pb2_grpc import (
    OfferServiceStub,
    add_OfferServiceServicer_to_server,
)

TERMS = Terms(0, 5, "0x" + "00" * 32, 1, "0x", "0x", "0x")
ORDER = Order("0x" + "11" * 32, "0x", TERMS, 3, 1000.0, OrderState.OPEN, settled=1)


@asynccontextmanager
async def served(offers: Callable[[], Offers], *, operator: bool) -> AsyncIterator[int]:
    server = GrpcServer(
        0,
        host="127.0.0.1",
        authenticator=BasicAuthenticator("ops", "secret", OPERATOR),
        policy=offer_service.policy(operator_configured=operator),
    )
    servicer = offer_service.OfferServicer(offers, operator_configured=operator)
    server.add(add_OfferServiceServicer_to_server, servicer, offer_service.SERVICE)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


async def get(port: int, **credentials: Any) -> pb.GetOffersResponse:
    async with open_channel(f"127.0.0.1:{port}", **credentials) as channel:
        stub: Any = OfferServiceStub(channel)
        answer: pb.GetOffersResponse = await stub.GetOffers(pb.GetOffersRequest(), timeout=PATIENCE_S)
        return answer


async def test_the_operator_sees_open_orders_and_the_reasons_for_no_more() -> None:
    closed = Order("0x" + "22" * 32, "0x", TERMS, 3, 1000.0, OrderState.CLOSED)
    offers = Offers((ORDER, closed), 1, 4, 3, ("the stake is too low",), 1_700_000_000.5)
    async with served(lambda: offers, operator=True) as port:
        answer = await get(port, basic=("ops", "secret"))
    assert [(offer.order_hash, offer.remaining, offer.state) for offer in answer.offers] == [
        (ORDER.hash, 2, pb.OFFER_STATE_OPEN)
    ]
    assert (answer.foreign_volume, answer.capacity, answer.open_volume) == (1, 4, 3)
    assert list(answer.reasons) == ["the stake is too low"]
    assert answer.reconciled_at.ToMilliseconds() == 1_700_000_000_500


@pytest.mark.parametrize(
    ("operator", "credentials", "reason"),
    [
        (True, {}, "UNAUTHENTICATED"),
        (True, {"basic": ("ops", "wrong")}, "UNAUTHENTICATED"),
        (False, {}, "OPERATOR_DISABLED"),
    ],
)
async def test_other_callers_are_refused(operator: bool, credentials: Any, reason: str) -> None:
    async with served(Offers, operator=operator) as port:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await get(port, **credentials)
    assert error_reason(refused.value) == reason
