"""The filters of the order book, one rule each."""

from datetime import UTC, datetime
from typing import Any

import pytest
from workerpool_devnet.order_book import filters
from workerpool_devnet.order_book.entries import Entry, OrderKind
from workerpool_devnet.order_book.errors import InvalidQuery
from workerpool_poco.protocol.ids import ZERO_ADDRESS, address
from workerpool_poco.protocol.orders import AppOrder, DatasetOrder, RequestOrder, WorkerpoolOrder
from workerpool_poco.protocol.tags import TeeFramework, make_tag

POOL, OTHER_POOL, APP, DATASET, REQUESTER, OWNER = (address(bytes([digit]) * 20) for digit in range(1, 7))
FIRST_FIELDS: dict[OrderKind, dict[str, Any]] = {
    OrderKind.APP: {"app": APP},
    OrderKind.DATASET: {"dataset": DATASET},
    OrderKind.WORKERPOOL: {"workerpool": POOL},
    OrderKind.REQUEST: {"requester": REQUESTER, "app": APP},
}
TYPES = {
    OrderKind.APP: AppOrder,
    OrderKind.DATASET: DatasetOrder,
    OrderKind.WORKERPOOL: WorkerpoolOrder,
    OrderKind.REQUEST: RequestOrder,
}


def entry(
    kind: OrderKind = OrderKind.WORKERPOOL, *, position: int = 0, second: int = 0, **fields: Any
) -> Entry:
    return Entry(
        kind=kind,
        order=TYPES[kind](**(FIRST_FIELDS[kind] | fields)),
        order_hash=f"0x{position:064x}",
        signer=OWNER,
        published_at=datetime(2026, 11, 29, 0, 0, second, tzinfo=UTC),
        position=position,
    )


def restricted_entry(kind: OrderKind, field: str) -> Entry:
    fields: dict[str, Any] = {field: OTHER_POOL}
    return entry(kind, **fields)


def passes(tested: Entry, **query: str) -> bool:
    return filters.parse(tested.kind, query).matches(tested)


def test_orders_of_another_kind_never_pass() -> None:
    assert not filters.parse(OrderKind.APP, {}).matches(entry(OrderKind.DATASET))


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (OrderKind.APP, "app", APP),
        (OrderKind.APP, "appOwner", OWNER),
        (OrderKind.DATASET, "dataset", DATASET),
        (OrderKind.DATASET, "datasetOwner", OWNER),
        (OrderKind.WORKERPOOL, "workerpool", POOL),
        (OrderKind.WORKERPOOL, "workerpoolOwner", OWNER),
        (OrderKind.REQUEST, "requester", REQUESTER),
        (OrderKind.REQUEST, "app", APP),
        (OrderKind.REQUEST, "dataset", ZERO_ADDRESS),
        (OrderKind.REQUEST, "beneficiary", ZERO_ADDRESS),
    ],
)
def test_an_address_selects_its_orders_in_any_spelling(kind: OrderKind, name: str, value: str) -> None:
    assert passes(entry(kind), **{name: value})
    assert passes(entry(kind), **{name: value.lower()})
    assert passes(entry(kind), **{name: "any"})
    assert not passes(entry(kind), **{name: OTHER_POOL})


RESTRICTIONS = [
    (OrderKind.APP, "dataset", "datasetrestrict"),
    (OrderKind.APP, "workerpool", "workerpoolrestrict"),
    (OrderKind.APP, "requester", "requesterrestrict"),
    (OrderKind.DATASET, "app", "apprestrict"),
    (OrderKind.DATASET, "workerpool", "workerpoolrestrict"),
    (OrderKind.DATASET, "requester", "requesterrestrict"),
    (OrderKind.WORKERPOOL, "app", "apprestrict"),
    (OrderKind.WORKERPOOL, "dataset", "datasetrestrict"),
    (OrderKind.WORKERPOOL, "requester", "requesterrestrict"),
    (OrderKind.REQUEST, "workerpool", "workerpool"),
]


@pytest.mark.parametrize(("kind", "name", "field"), RESTRICTIONS)
def test_a_restricted_order_answers_only_the_address_that_it_names(
    kind: OrderKind, name: str, field: str
) -> None:
    restricted = restricted_entry(kind, field)
    assert passes(restricted, **{name: OTHER_POOL})
    assert passes(restricted, **{name: "any"})
    assert not passes(restricted, **{name: OWNER})
    assert not passes(restricted), "a query without the address gets unrestricted orders only"


@pytest.mark.parametrize(("kind", "name", "field"), RESTRICTIONS)
def test_a_strict_query_excludes_unrestricted_orders(kind: OrderKind, name: str, field: str) -> None:
    strict = {f"is{name.capitalize()}Strict": "true"}
    unrestricted, restricted = entry(kind), restricted_entry(kind, field)
    assert passes(unrestricted, **{name: OTHER_POOL})
    assert not passes(unrestricted, **{name: OTHER_POOL}, **strict)
    assert passes(restricted, **{name: OTHER_POOL}, **strict)
    assert passes(restricted, **{name: "any"}, **strict)


def test_min_tag_wants_all_of_its_bits_and_max_tag_allows_no_other() -> None:
    tdx, gpu = make_tag(framework=TeeFramework.TDX), make_tag(gpu=True)
    tagged = entry(tag=tdx)
    assert passes(tagged, minTag="0x9")
    assert passes(tagged, minTag="0x1")
    assert passes(tagged, minTag="0x0")
    assert not passes(tagged, minTag="0x109")
    assert not passes(tagged, minTag="0x3")
    assert passes(tagged, maxTag="0x9")
    assert passes(tagged, maxTag="0x" + (b"\xff" * 32).hex())
    assert not passes(tagged, maxTag="0x0")
    assert not passes(tagged, maxTag="0x" + gpu.hex())
    assert passes(entry(), maxTag="0x0")


def test_category_and_trust() -> None:
    offer = entry(category=5, trust=3)
    assert passes(offer, category="5")
    assert not passes(offer, category="0")
    assert passes(offer, minTrust="3")
    assert not passes(offer, minTrust="4")
    request = entry(OrderKind.REQUEST, category=5, trust=3)
    assert passes(request, category="5")
    assert not passes(request, category="0")
    assert passes(request, maxTrust="3")
    assert not passes(request, maxTrust="2")


def test_bulk_wants_free_datasets_of_unlimited_volume() -> None:
    for volume in (2**53 - 2, 2**53 - 1):
        assert passes(entry(OrderKind.DATASET, volume=volume), bulkOnly="true")
    assert not passes(entry(OrderKind.DATASET, volume=1), bulkOnly="true")
    assert not passes(entry(OrderKind.DATASET, volume=2**53, datasetprice=1), bulkOnly="true")
    assert passes(entry(OrderKind.DATASET, volume=1), bulkOnly="false")


def test_offers_are_sorted_by_price_then_age_and_requests_by_what_they_pay() -> None:
    offers = [
        entry(workerpoolprice=5, position=0, second=0),
        entry(workerpoolprice=1, position=1, second=2),
        entry(workerpoolprice=1, position=2, second=1),
        entry(workerpoolprice=1, position=3, second=2),
    ]
    assert [each.position for each in filters.best_first(offers)] == [2, 1, 3, 0]
    requests = [entry(OrderKind.REQUEST, workerpoolmaxprice=price, position=price) for price in (3, 7, 5)]
    assert [each.position for each in filters.best_first(requests)] == [7, 5, 3]


def test_pages() -> None:
    page = filters.Page.parse({"pageIndex": "1", "pageSize": "10"})
    assert page.cut(list(range(25))) == (list(range(10, 20)), 2)
    assert page.cut(list(range(20))) == (list(range(10, 20)), None)
    assert page.cut([]) == ([], None)
    assert filters.Page.parse({}) == filters.Page(0, 20)
    assert filters.Page.parse({"page": "2"}) == filters.Page(2, 20), "SDK 7.x"


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"pageSize": "9"}, "pageSize"),
        ({"pageSize": "1001"}, "pageSize"),
        ({"pageIndex": "-1"}, "pageIndex"),
        ({"minVolume": "1.5"}, "minVolume"),
        ({"category": "٣"}, "category"),
        ({"minTrust": "9" * 79}, "minTrust"),
        ({"app": "0x12"}, "app"),
        ({"workerpoolOwner": "me"}, "workerpoolOwner"),
        ({"isAppStrict": "yes"}, "isAppStrict"),
        ({"minTag": "9"}, "minTag"),
        ({"maxTag": "0x" + "0" * 65}, "maxTag"),
        ({"maxTag": "0xzz"}, "maxTag"),
        ({"maxTrust": "1"}, "maxTrust"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_malformed_or_unknown_parameter_is_named(query: dict[str, str], word: str) -> None:
    with pytest.raises(InvalidQuery, match=word):
        filters.parse(OrderKind.WORKERPOOL, query)


def test_the_queries_of_the_sdk_are_understood() -> None:
    strict = {f"is{name}Strict": "false" for name in ("App", "Dataset", "Workerpool", "Requester")}
    paging = {"chainId": "65535", "pageIndex": "0", "pageSize": "20"}
    address_filters = {"requester": REQUESTER, "minTag": "0x0", "maxTag": "0x0", "minVolume": "1"}
    for kind, names in {
        OrderKind.APP: ("Dataset", "Workerpool", "Requester"),
        OrderKind.DATASET: ("App", "Workerpool", "Requester"),
        OrderKind.WORKERPOOL: ("App", "Dataset", "Requester"),
        OrderKind.REQUEST: ("Workerpool",),
    }.items():
        flags = {name: strict[name] for name in (f"is{each}Strict" for each in names)}
        filters.parse(kind, paging | address_filters | flags)
