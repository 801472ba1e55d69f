"""The stored form of an order: nothing is lost, and equal orders have equal texts."""

from workerpool_chain_adapter.domain.stored_order import from_text, to_text
from workerpool_poco.protocol.ids import address
from workerpool_poco.protocol.orders import WorkerpoolOrder

ORDER = WorkerpoolOrder(
    workerpool=address("0x" + "ab" * 20),
    workerpoolprice=2**64 - 1,
    volume=3,
    tag=b"\x01".rjust(32, b"\0"),
    category=5,
    trust=7,
    requesterrestrict=address("0x" + "cd" * 20),
)


def test_an_order_is_read_as_it_was_written_without_its_signature() -> None:
    signed = WorkerpoolOrder(**(vars(ORDER) | {"sign": b"a signature"}))
    assert from_text(to_text(signed)) == ORDER
    assert to_text(signed) == to_text(ORDER)
