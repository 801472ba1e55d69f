"""Prometheus metrics of the order publisher."""

from prometheus_client import Counter, Gauge

OPEN_ORDERS = Gauge("workerpool_orders_open", "Orders of the pool that can be bought.")
OPEN_VOLUME = Gauge("workerpool_orders_open_volume", "Tasks that can be bought with these orders.")
CAPACITY = Gauge("workerpool_orders_capacity", "Tasks that the pool can serve besides those already bought.")
PUBLISHED = Counter("workerpool_orders_published", "Orders that the market confirmed.")
WITHDRAWN = Counter("workerpool_orders_withdrawn", "Orders that were withdrawn from the market.")
CANCELLATIONS = Counter(
    "workerpool_orders_cancellations", "Orders whose cancellation on chain the chain adapter accepted."
)
AWAITING_CANCELLATION = Gauge(
    "workerpool_orders_awaiting_cancellation",
    "Withdrawn orders whose cancellation core's block does not show yet.",
)
REFUSED = Counter("workerpool_orders_refused", "Orders that the market refused.")
MARKET_OUTAGES = Counter("workerpool_market_outages", "Calls to the market without a usable answer.")
