"""`workerpool.order_publisher.v1.OfferService`: the orders on the market, for the operator."""

from collections.abc import Callable
from typing import Any

from workerpool_kit.access.authenticators import ANYONE, OPERATOR
from workerpool_protocol.order_publisher.v1 import offer_service_pb2 as pb
from workerpool_protocol.order_publisher.v1.offer_service_pb2_grpc import OfferServiceServicer

from workerpool_order_publisher.app.offers import Offers
from workerpool_order_publisher.domain.order_book import OrderState
from workerpool_order_publisher.errors import OperatorDisabled

SERVICE = "workerpool.order_publisher.v1.OfferService"

_STATES = {
    OrderState.PLANNED: pb.OFFER_STATE_PLANNED,
    OrderState.OPEN: pb.OFFER_STATE_OPEN,
    OrderState.WITHDRAWING: pb.OFFER_STATE_WITHDRAWING,
    OrderState.WITHDRAWN: pb.OFFER_STATE_WITHDRAWN,
}


def policy(*, operator_configured: bool) -> dict[str, frozenset[str]]:
    """Return the roles that may call each method.

    Without configured credentials the policy admits every caller, and the method refuses with OPERATOR_DISABLED.
    """
    return {f"/{SERVICE}/GetOffers": frozenset({OPERATOR if operator_configured else ANYONE})}


class OfferServicer(OfferServiceServicer):
    """Serves the offers that `offers` returns."""

    def __init__(self, offers: Callable[[], Offers], *, operator_configured: bool) -> None:
        self._offers = offers
        self._open = operator_configured

    async def GetOffers(self, request: pb.GetOffersRequest, context: Any) -> pb.GetOffersResponse:
        """Return the orders that can still be bought. Raises OperatorDisabled without operator credentials."""
        if not self._open:
            raise OperatorDisabled(
                "GetOffers is disabled; set ORDER_PUBLISHER_OPERATOR_USERNAME and ORDER_PUBLISHER_OPERATOR_PASSWORD"
            )
        found = self._offers()
        response = pb.GetOffersResponse(
            foreign_volume=found.foreign_volume,
            capacity=found.capacity,
            open_volume=found.open_volume,
            reasons=found.reasons,
            offers=[
                pb.Offer(
                    order_hash=order.hash,
                    state=_STATES[order.state],
                    category=order.terms.category,
                    price=order.terms.price,
                    volume=order.volume,
                    remaining=order.exposure,
                    tag=order.terms.tag,
                    trust=order.terms.trust,
                    reason=order.reason,
                    awaits_cancellation=order.awaits_cancellation,
                )
                for order in found.orders
                if order.state in _STATES
            ],
        )
        if found.reconciled_at is not None:
            response.reconciled_at.FromNanoseconds(int(found.reconciled_at * 1e9))
        return response
