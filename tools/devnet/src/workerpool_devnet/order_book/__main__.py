"""Entry point of the market: `python -m workerpool_devnet.order_book`; the devnet starts it."""

from __future__ import annotations

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_devnet.order_book.service import serve
from workerpool_devnet.order_book.settings import OrderBookSettings


def main() -> NoReturn:
    """Run the market."""
    run_service(
        OrderBookSettings,
        serve,
        name="workerpool-devnet-market",
        about="the market of a devnet: an order book that checks every order against the chain.",
    )


if __name__ == "__main__":
    main()
