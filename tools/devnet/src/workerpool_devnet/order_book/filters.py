"""Filters of the order book: which published orders a query selects, in which order, on which page.

A restriction of an order names the only app, dataset, workerpool or requester that may use it. A query includes the
orders that are restricted to an address when it names that address, or `any`; the parameter `is…Strict` excludes orders
without the restriction. A query that does not name an address gets unrestricted orders only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import ZERO_ADDRESS, address
from workerpool_poco.protocol.orders import DatasetOrder

from workerpool_devnet.order_book.entries import Entry, OrderKind
from workerpool_devnet.order_book.errors import InvalidQuery

ANY = "any"
MIN_PAGE, MAX_PAGE, DEFAULT_PAGE = 10, 1000, 20
"""Entries on a page."""
INFINITE_VOLUME = 2**53 - 2
"""Volume from which a free dataset order counts as one for bulk processing."""

Item = TypeVar("Item")
Test = Callable[[Entry], bool]

_EXACT: dict[OrderKind, dict[str, str]] = {
    OrderKind.APP: {"app": "app"},
    OrderKind.DATASET: {"dataset": "dataset"},
    OrderKind.WORKERPOOL: {"workerpool": "workerpool"},
    OrderKind.REQUEST: {
        "requester": "requester",
        "beneficiary": "beneficiary",
        "app": "app",
        "dataset": "dataset",
    },
}
"""Parameter → field of the order that equals it."""

_RESTRICTIONS: dict[OrderKind, dict[str, str]] = {
    OrderKind.APP: {
        "dataset": "datasetrestrict",
        "workerpool": "workerpoolrestrict",
        "requester": "requesterrestrict",
    },
    OrderKind.DATASET: {
        "app": "apprestrict",
        "workerpool": "workerpoolrestrict",
        "requester": "requesterrestrict",
    },
    OrderKind.WORKERPOOL: {
        "app": "apprestrict",
        "dataset": "datasetrestrict",
        "requester": "requesterrestrict",
    },
    OrderKind.REQUEST: {"workerpool": "workerpool"},
}
"""Parameter → field of the order that restricts it, zero for none."""

_OWNERS = {
    OrderKind.APP: "appOwner",
    OrderKind.DATASET: "datasetOwner",
    OrderKind.WORKERPOOL: "workerpoolOwner",
}
PAGING = frozenset({"chainId", "pageIndex", "pageSize", "page"})
"""Parameters of every query."""


@dataclass(frozen=True)
class Page:
    """A page of an answer: `size` entries, from `index` times `size` on."""

    index: int = 0
    size: int = DEFAULT_PAGE

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Page:
        """Read `pageIndex`, or the `page` of SDK 7.x, and `pageSize`; raises `InvalidQuery`."""
        index = number(query, "pageIndex", number(query, "page", 0))
        size = number(query, "pageSize", DEFAULT_PAGE)
        if not MIN_PAGE <= size <= MAX_PAGE:
            raise InvalidQuery(f"pageSize must be {MIN_PAGE} to {MAX_PAGE}, not {size}")
        return cls(index, size)

    def cut(self, items: Sequence[Item]) -> tuple[list[Item], int | None]:
        """Return the items of the page and the index of the next page, None after the last one."""
        first = self.index * self.size
        rest = len(items) > first + self.size
        return list(items[first : first + self.size]), self.index + 1 if rest else None


@dataclass(frozen=True)
class Filter:
    """The filters of a query. `min_volume` concerns the remaining volume, which only the chain knows."""

    kind: OrderKind
    tests: tuple[Test, ...]
    min_volume: int
    page: Page

    def matches(self, entry: Entry) -> bool:
        """Return whether the order passes every test; its remaining volume is not tested."""
        return entry.kind is self.kind and all(test(entry) for test in self.tests)


def parse(kind: OrderKind, query: Mapping[str, str]) -> Filter:
    """Read the parameters of `GET /{kind}orders`; raises `InvalidQuery` for one that is unknown or malformed."""
    known = {*PAGING, "minTag", "maxTag", "minVolume"}
    tests: list[Test] = []
    for name, field in _EXACT[kind].items():
        known.add(name)
        if (wanted := _address(query, name)) not in (None, ANY):
            tests.append(_equals(field, wanted))
    for name, field in _RESTRICTIONS[kind].items():
        strict = f"is{name.capitalize()}Strict"
        known |= {name, strict}
        tests.append(_restricted(field, _address(query, name), strict=_flag(query, strict)))
    if (owner_name := _OWNERS.get(kind)) is not None:
        known.add(owner_name)
        if (owner := _address(query, owner_name)) not in (None, ANY):
            tests.append(_equals("signer", owner, of_order=False))
    special, names = _special(kind, query)
    tests += [*special, *_tag_tests(query)]
    if unknown := sorted(query.keys() - known - names):
        raise InvalidQuery(
            f"{kind.plural} cannot be filtered by {', '.join(unknown)}; "
            f"the filters are {', '.join(sorted((known | names) - PAGING))}"
        )
    return Filter(kind, tuple(tests), number(query, "minVolume", 1), Page.parse(query))


def best_first(entries: Iterable[Entry]) -> list[Entry]:
    """Sort by price, then by age: the cheapest offer first, or the request that pays most."""
    return sorted(
        entries,
        key=lambda entry: (
            -entry.price if entry.kind is OrderKind.REQUEST else entry.price,
            entry.published_at,
            entry.position,
        ),
    )


def number(query: Mapping[str, str], name: str, default: int) -> int:
    """Return a parameter that is a number, 0 or more; raises `InvalidQuery`."""
    text = query.get(name)
    if text is None:
        return default
    # Longer numbers exceed every field of the contracts.
    if not (text.isascii() and text.isdigit() and len(text) <= 78):
        raise InvalidQuery(f"{name} must be a number, 0 or more, not {text[:80]!r}")
    return int(text)


def _special(kind: OrderKind, query: Mapping[str, str]) -> tuple[list[Test], set[str]]:
    """Return the tests that only one kind of order has, and the names of their parameters."""
    tests: list[Test] = []
    if kind is OrderKind.DATASET:
        if _flag(query, "bulkOnly"):
            tests.append(_fits_bulk)
        return tests, {"bulkOnly"}
    if kind is OrderKind.APP:
        return tests, set()
    if "category" in query:
        tests.append(_equals("category", number(query, "category", 0)))
    if kind is OrderKind.WORKERPOOL:
        if "minTrust" in query:
            tests.append(_at_least("trust", number(query, "minTrust", 0)))
        return tests, {"category", "minTrust"}
    if "maxTrust" in query:
        tests.append(_at_most("trust", number(query, "maxTrust", 0)))
    return tests, {"category", "maxTrust"}


def _tag_tests(query: Mapping[str, str]) -> list[Test]:
    tests: list[Test] = []
    if (least := _tag(query, "minTag")) is not None:
        tests.append(_has_bits(least))
    if (most := _tag(query, "maxTag")) is not None:
        tests.append(_has_no_bits_but(most))
    return tests


def _equals(field: str, wanted: object, *, of_order: bool = True) -> Test:
    return lambda entry: getattr(entry.order if of_order else entry, field) == wanted


def _at_least(field: str, least: int) -> Test:
    return lambda entry: getattr(entry.order, field) >= least


def _at_most(field: str, most: int) -> Test:
    return lambda entry: getattr(entry.order, field) <= most


def _has_bits(bits: int) -> Test:
    return lambda entry: entry.tag & bits == bits


def _has_no_bits_but(bits: int) -> Test:
    return lambda entry: entry.tag & ~bits == 0


def _fits_bulk(entry: Entry) -> bool:
    order = entry.order
    return isinstance(order, DatasetOrder) and order.datasetprice == 0 and order.volume >= INFINITE_VOLUME


def _restricted(field: str, wanted: str | None, *, strict: bool) -> Test:
    def test(entry: Entry) -> bool:
        only = getattr(entry.order, field)
        if only == ZERO_ADDRESS:
            return not (strict and wanted is not None)
        return wanted in (ANY, only)

    return test


def _address(query: Mapping[str, str], name: str) -> str | None:
    """Return a checksummed address, `any`, or None for an absent parameter."""
    text = query.get(name)
    if text is None or text == ANY:
        return text
    try:
        return address(text)
    except InvalidId:
        raise InvalidQuery(
            f"{name} must be an address (0x and 40 hexadecimal digits) or {ANY}, not {text[:80]!r}"
        ) from None


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise InvalidQuery(f"{name} must be true or false, not {text[:80]!r}")
    return text == "true"


def _tag(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    digits = text[2:] if text[:2] == "0x" else ""
    if not 1 <= len(digits) <= 64 or set(digits.lower()) - set("0123456789abcdef"):
        raise InvalidQuery(f"{name} must be a tag (0x and up to 64 hexadecimal digits), not {text[:80]!r}")
    return int(digits, 16)
