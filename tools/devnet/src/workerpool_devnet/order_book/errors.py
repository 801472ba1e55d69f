"""Errors of the order book, one class per cause; the message is the sentence that the SDK prints."""

from __future__ import annotations

from typing import ClassVar

from workerpool_kit.errors import Kind, WorkerpoolError


class OrderBookError(WorkerpoolError):
    """Root of the errors of the order book; `status` is that of the HTTP answer."""

    status: ClassVar[int] = 400


class InvalidQuery(OrderBookError):
    """A parameter or a field is missing, unknown or malformed."""

    kind = Kind.INVALID
    reason = "INVALID_QUERY"


class NotAuthorized(OrderBookError):
    """The wallet did not prove its address, or does not own the resource of the order."""

    kind = Kind.UNAUTHENTICATED
    reason = "NOT_AUTHORIZED"
    status = 401


class OrderNotFound(OrderBookError):
    """No published order matches."""

    kind = Kind.NOT_FOUND
    reason = "ORDER_NOT_FOUND"
    status = 404


class OrderKnown(OrderBookError):
    """The order is published already."""

    kind = Kind.ALREADY_EXISTS
    reason = "ORDER_ALREADY_PUBLISHED"
    status = 409


class OrderRefused(OrderBookError):
    """The hub would refuse the order, or its wallet has too many open orders."""

    kind = Kind.INVALID
    reason = "ORDER_REFUSED"


class ChainAway(OrderBookError):
    """The node does not answer, so no order can be checked."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"
    status = 503
