"""The HTTP routes of the market, in the shapes that the iExec SDK reads.

Every answer is JSON with the key `ok`. Of an error the SDK prints only the key `error`, so that holds a sentence.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from workerpool_kit.http.bodies import BodyTooLarge, BodyTooSlow, read_body

from workerpool_devnet.order_book.entries import OrderKind
from workerpool_devnet.order_book.errors import InvalidQuery, NotAuthorized, OrderBookError
from workerpool_devnet.order_book.market import OrderBook

_Answer = Callable[[Request], Awaitable[dict[str, Any]]]


def routes(market: OrderBook) -> list[BaseRoute]:
    """Return the routes of a market."""
    found: list[BaseRoute] = [
        Route("/challenge", _answering(market, functools.partial(_challenge, market))),
        Route("/deals", _answering(market, functools.partial(_deals, market))),
    ]
    for kind in OrderKind:
        path, bind = f"/{kind.plural}", functools.partial
        found += [
            Route(path, _answering(market, bind(_orders, market, kind)), methods=["GET"]),
            Route(path, _answering(market, bind(_publish, market, kind)), methods=["POST"]),
            Route(path, _answering(market, bind(_unpublish, market, kind)), methods=["PUT"]),
            Route(f"{path}/{{order_hash}}", _answering(market, bind(_order, market, kind))),
        ]
    return found


def _answering(market: OrderBook, answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that checks the chain id and turns errors into the market's form."""

    async def endpoint(request: Request) -> Response:
        try:
            _check_chain(market, request)
            return JSONResponse({"ok": True, **await answer(request)})
        except OrderBookError as error:
            return JSONResponse({"ok": False, "error": error.message}, error.status)
        except BodyTooLarge as error:
            return JSONResponse({"ok": False, "error": error.message}, 413)
        except BodyTooSlow as error:
            return JSONResponse({"ok": False, "error": error.message}, 408)

    return endpoint


def _check_chain(market: OrderBook, request: Request) -> None:
    if request.query_params.get("chainId") != str(market.chain_id):
        raise InvalidQuery(
            f"this market serves chainId={market.chain_id}, not {request.query_params.get('chainId', 'none')}: "
            "name that chain, or ask the market of the other one"
        )


async def _challenge(market: OrderBook, request: Request) -> dict[str, Any]:
    return {"data": market.challenge(request.query_params.get("address", ""))}


async def _orders(market: OrderBook, kind: OrderKind, request: Request) -> dict[str, Any]:
    return await market.orders(kind, dict(request.query_params))


async def _order(market: OrderBook, kind: OrderKind, request: Request) -> dict[str, Any]:
    return await market.order(kind, request.path_params["order_hash"])


async def _deals(market: OrderBook, request: Request) -> dict[str, Any]:
    return await market.deals(dict(request.query_params))


async def _publish(market: OrderBook, kind: OrderKind, request: Request) -> dict[str, Any]:
    content = await _json_body(request)
    wallet = await _wallet(market, request)
    return {"published": await market.publish(kind, wallet, content.get("order"))}


async def _unpublish(market: OrderBook, kind: OrderKind, request: Request) -> dict[str, Any]:
    content = await _json_body(request)
    wallet = await _wallet(market, request)
    return {"unpublished": await market.unpublish(kind, wallet, content)}


async def _wallet(market: OrderBook, request: Request) -> str:
    header = request.headers.get("authorization")
    if header is None:
        raise NotAuthorized("the Authorization header is missing: sign a challenge from /challenge first")
    return await market.authenticate(header)


async def _json_body(request: Request) -> dict[str, Any]:
    try:
        content = json.loads(await read_body(request))
    except (ValueError, RecursionError):
        raise InvalidQuery("the body must be JSON") from None
    if not isinstance(content, dict):
        raise InvalidQuery("the body must be a JSON object")
    return content
