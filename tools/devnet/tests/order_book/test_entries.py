"""The JSON form of a published order."""

from datetime import UTC, datetime

from workerpool_devnet.order_book.entries import Entry, OrderKind, Status
from workerpool_poco.protocol.ids import ZERO_ADDRESS, address
from workerpool_poco.protocol.orders import WorkerpoolOrder

POOL, OWNER = address(b"\1" * 20), address(b"\2" * 20)


def test_an_entry_has_the_shape_that_the_sdk_reads() -> None:
    order = WorkerpoolOrder(workerpool=POOL, workerpoolprice=7, volume=3, trust=1, salt=bytes(32), sign=b"\5")
    entry = Entry(
        kind=OrderKind.WORKERPOOL,
        order=order,
        order_hash="0x" + "ab" * 32,
        signer=OWNER,
        published_at=datetime(2026, 11, 29, 1, 2, 3, 456_789, tzinfo=UTC),
        position=0,
    )
    assert entry.to_json(65535, 2, Status.OPEN) == {
        "orderHash": "0x" + "ab" * 32,
        "chainId": 65535,
        "remaining": 2,
        "status": "open",
        "signer": OWNER,
        "publicationTimestamp": "2026-11-29T01:02:03.456Z",
        "order": {
            "workerpool": POOL,
            "workerpoolprice": "7",
            "volume": "3",
            "tag": "0x" + "00" * 32,
            "category": "0",
            "trust": "1",
            "apprestrict": ZERO_ADDRESS,
            "datasetrestrict": ZERO_ADDRESS,
            "requesterrestrict": ZERO_ADDRESS,
            "salt": "0x" + "00" * 32,
            "sign": "0x05",
        },
    }
