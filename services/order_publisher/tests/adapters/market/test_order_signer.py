"""The owner's orders: the same order always has the same hash and signature, and the market's form holds texts."""

from workerpool_order_publisher.adapters.market.order_signer import listed_terms
from workerpool_poco.protocol.ids import bytes32, to_hex
from workerpool_poco.protocol.orders import WorkerpoolOrder
from workerpool_poco.protocol.signatures import recover_address

from services.order_publisher.tests.adapters.market.conftest import DOMAIN, POOL, Client


async def test_the_order_is_signed_by_the_wallet_over_its_hash(client: Client) -> None:
    order = client.order(price=7, volume=3)
    signed = client.signer.signed(order)
    assert signed == client.signer.signed(order)
    read = WorkerpoolOrder.from_json(signed)
    assert to_hex(read.hash(DOMAIN)) == order.hash
    assert recover_address(bytes32(order.hash), read.sign) == client.wallet.address
    assert (read.workerpool, read.workerpoolprice, read.volume) == (POOL, 7, 3)
    assert listed_terms(read) == order.terms
    assert signed["workerpoolprice"] == "7"


async def test_two_orders_of_the_same_terms_differ_by_their_salt(client: Client) -> None:
    assert client.order().hash != client.order().hash
