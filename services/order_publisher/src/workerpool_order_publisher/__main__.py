"""Entry point of the order publisher: `workerpool-order-publisher` or `python -m workerpool_order_publisher`."""

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_order_publisher.composition import serve
from workerpool_order_publisher.settings import OrderPublisherSettings


def main() -> NoReturn:
    """Run the order publisher."""
    run_service(
        OrderPublisherSettings,
        serve,
        name="workerpool-order-publisher",
        about="keeps the orders of a pool on the market, never for more tasks than the pool can serve.",
    )


if __name__ == "__main__":
    main()
