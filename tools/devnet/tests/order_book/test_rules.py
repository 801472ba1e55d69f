"""The rules for publishing, on values."""

from datetime import UTC, datetime
from typing import Any

import pytest
from workerpool_devnet.order_book import rules
from workerpool_devnet.order_book.entries import Entry, OrderKind, Status
from workerpool_devnet.order_book.errors import InvalidQuery, OrderRefused
from workerpool_devnet.order_book.rules import Facts
from workerpool_poco.protocol.ids import address
from workerpool_poco.protocol.orders import AppOrder, RequestOrder, WorkerpoolOrder

POOL, OWNER, APP = (address(bytes([digit]) * 20) for digit in (1, 2, 3))
CATEGORIES = 8


def offer(**fields: Any) -> WorkerpoolOrder:
    known: dict[str, Any] = {"workerpool": POOL, "volume": 10, "workerpoolprice": 5}
    return WorkerpoolOrder(**(known | fields))


def refused(order: WorkerpoolOrder | RequestOrder, **facts: Any) -> str:
    kind = OrderKind.WORKERPOOL if isinstance(order, WorkerpoolOrder) else OrderKind.REQUEST
    known: dict[str, Any] = {"owner": OWNER, "consumed": 0, "stake": 1_000_000}
    with pytest.raises(OrderRefused) as refusal:
        rules.check_offer(kind, order, Facts(**(known | facts)), CATEGORIES)
    return refusal.value.message


def test_the_stake_of_a_workerpool_is_30_percent_of_each_task_rounded_down() -> None:
    # 30 % of 5 nRLC is 1.5, of which the hub locks 1 for each task.
    assert rules.stake_for(offer(), 10) == 10
    rules.check_offer(OrderKind.WORKERPOOL, offer(), Facts(OWNER, 0, 10), CATEGORIES)
    assert "needs 10" in refused(offer(), stake=9)


def test_a_requester_needs_the_highest_cost_of_the_request() -> None:
    request = RequestOrder(
        app=APP, requester=OWNER, appmaxprice=1, datasetmaxprice=2, workerpoolmaxprice=3, volume=2
    )
    assert rules.stake_for(request, 2) == 12
    assert "needs 12" in refused(request, stake=11)


def test_owners_of_apps_need_no_stake() -> None:
    assert rules.stake_for(AppOrder(app=APP, appprice=100, volume=100), 100) == 0


def test_an_order_without_volume_owner_or_category_is_refused() -> None:
    assert "no volume" in refused(offer(volume=0))
    assert "10 of 10" in refused(offer(), consumed=10)
    assert f"registered at {POOL}" in refused(offer(), owner=None)
    assert "no category 8" in refused(offer(category=8))


def test_a_wallet_has_fifty_open_orders_at_most() -> None:
    rules.check_count(49)
    with pytest.raises(OrderRefused, match="50"):
        rules.check_count(50)


@pytest.mark.parametrize(
    ("consumed", "matched", "owner", "stake", "status"),
    [
        (0, None, OWNER, 1, Status.OPEN),
        (9, None, OWNER, 1, Status.OPEN),
        (10, None, OWNER, 1, Status.FILLED),
        (10, 10, OWNER, 0, Status.FILLED),
        (10, 3, OWNER, 1, Status.CANCELED),
        (0, None, POOL, 1, Status.DEAD),
        (0, None, None, 1, Status.DEAD),
        (0, None, OWNER, 0, Status.DEAD),
    ],
)
def test_the_status_follows_the_chain(
    consumed: int, matched: int | None, owner: str | None, stake: int, status: Status
) -> None:
    entry = Entry(
        kind=OrderKind.WORKERPOOL,
        order=offer(),
        order_hash="0x" + "00" * 32,
        signer=OWNER,
        published_at=datetime(2026, 11, 29, tzinfo=UTC),
        position=0,
    )
    assert rules.status_of(entry, Facts(owner, consumed, stake), matched) is status


def test_an_order_in_the_sdks_form_is_read() -> None:
    content = offer().to_json() | {"volume": "10", "workerpool": POOL.lower()}
    assert rules.read_order(OrderKind.WORKERPOOL, content) == rules.read_order(
        OrderKind.WORKERPOOL, content | {"volume": 10, "workerpool": POOL}
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"volume": -1}, "volume"),
        ({"volume": 2**256}, "volume"),
        ({"volume": "1" * 5000}, "volume"),
        ({"volume": float("inf")}, "volume"),
        ({"volume": True}, "volume"),
        ({"volume": None}, "volume"),
        ({"volume": "007"}, "malformed"),
        ({"workerpool": 5}, "workerpool"),
        ({"workerpool": "0x12"}, "malformed"),
        # As a number of bytes, this would fill the memory.
        ({"salt": 10**12}, "salt"),
        ({"tag": "0x9"}, "malformed"),
        ({"sign": ["0x"]}, "sign"),
        ({"sign": "signature"}, "malformed"),
    ],
)
def test_a_malformed_field_is_named(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidQuery, match=word):
        rules.read_order(OrderKind.WORKERPOOL, offer().to_json() | changes)


def test_missing_fields_are_named() -> None:
    content = offer().to_json()
    del content["salt"], content["trust"]
    with pytest.raises(InvalidQuery, match="salt, trust"):
        rules.read_order(OrderKind.WORKERPOOL, content)
    with pytest.raises(InvalidQuery, match="order"):
        rules.read_order(OrderKind.WORKERPOOL, None)


def test_a_text_that_no_encoding_holds_is_refused() -> None:
    request = RequestOrder(app=APP, requester=OWNER, params="{}").to_json()
    with pytest.raises(InvalidQuery, match="params"):
        rules.read_order(OrderKind.REQUEST, request | {"params": "\ud800"})
