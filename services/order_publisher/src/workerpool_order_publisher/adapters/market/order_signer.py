"""The pool owner's orders: salt, EIP-712 hash and signature."""

from collections.abc import Mapping
from typing import Any

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import Address, bytes32, to_hex
from workerpool_poco.protocol.orders import WorkerpoolOrder, new_salt

from workerpool_order_publisher.domain.order_book import Order, Terms


class OrderSigner:
    """Signs with one wallet for one pool. Signatures are deterministic (RFC 6979)."""

    def __init__(self, wallet: Wallet, pool: Address, domain: Eip712Domain) -> None:
        self._wallet = wallet
        self._pool = pool
        self._domain = domain

    def order(self, terms: Terms, volume: int, created_at: float) -> Order:
        """Return a new order with a random salt."""
        salt = to_hex(new_salt())
        order_hash = to_hex(self._protocol_order(terms, volume, salt).hash(self._domain))
        return Order(order_hash, salt, terms, volume, created_at)

    def signed(self, order: Order) -> Mapping[str, Any]:
        """Return the signed order in the market's format, with amounts as texts."""
        protocol_order = self._protocol_order(order.terms, order.volume, order.salt)
        content = protocol_order.signed(self._wallet, self._domain).to_json()
        return {name: str(value) if isinstance(value, int) else value for name, value in content.items()}

    def _protocol_order(self, terms: Terms, volume: int, salt: str) -> WorkerpoolOrder:
        return WorkerpoolOrder(
            workerpool=self._pool,
            workerpoolprice=terms.price,
            volume=volume,
            tag=bytes32(terms.tag),
            category=terms.category,
            trust=terms.trust,
            apprestrict=terms.app,
            datasetrestrict=terms.dataset,
            requesterrestrict=terms.requester,
            salt=bytes32(salt),
        )


def listed_terms(order: WorkerpoolOrder) -> Terms:
    """Return the terms of an order that the market listed."""
    return Terms(
        order.category,
        order.workerpoolprice,
        to_hex(order.tag),
        order.trust,
        order.apprestrict,
        order.datasetrestrict,
        order.requesterrestrict,
    )
