"""The plan: never more on offer than the pool can serve, the newest withdrawn first, every limit with its reason."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_order_publisher.domain.limits import Cancel, Limits, owner_stake, slots_of_task
from workerpool_order_publisher.domain.order_book import Order, Terms
from workerpool_order_publisher.domain.order_book import OrderState as S
from workerpool_order_publisher.domain.planner import NewOrder, Plan, Situation, plan
from workerpool_order_publisher.domain.supply import Supply, WorkerGroup, capacity

ZERO = "0x" + "00" * 20
TAG = "0x" + "00" * 32
LIMITS = Limits((0,), (0, 0), TAG, 1, ZERO, ZERO, ZERO)


def supply(slots: int, **changes: object) -> Supply:
    return Supply(10, (WorkerGroup(slots, 1),) if slots else (), **changes)  # type: ignore[arg-type]


def order(number: int, volume: int = 1, *, category: int = 0, price: int = 0, **changes: object) -> Order:
    terms = replace(LIMITS.terms(category, price), trust=int(str(changes.pop("trust", LIMITS.trust))))
    changes = {"state": S.OPEN} | changes
    return Order(f"0x{number:064x}", "0x", terms, volume, float(number), **changes)  # type: ignore[arg-type]


def test_one_order_per_free_slot() -> None:
    found = plan(Situation(supply(3), []), LIMITS)
    assert found.publish == [NewOrder(0, 1)] * 3
    assert found.capacity == 3
    assert found.reasons == []


def test_what_is_on_offer_is_not_offered_again() -> None:
    assert plan(Situation(supply(3), [order(1), order(2)]), LIMITS).publish == [NewOrder(0, 1)]
    assert plan(Situation(supply(2), [order(1), order(2)]), LIMITS) == Plan(capacity=2)


def test_slots_of_bought_tasks_are_not_sold() -> None:
    assert len(plan(Situation(supply(3, pending_slots=2), []), LIMITS).publish) == 1


def test_fewer_slots_withdraw_the_newest_orders() -> None:
    found = plan(Situation(supply(1), [order(1), order(2), order(3)]), LIMITS)
    assert list(found.withdraw) == [order(3).hash, order(2).hash]
    assert set(found.withdraw.values()) == {"the pool can serve 1 more tasks"}


def test_orders_that_leave_take_no_others_with_them() -> None:
    """A lost slot costs one order. What leaves takes room from new orders until it cannot be bought any more."""
    leaving = order(3, state=S.WITHDRAWN, reason="why", cancels=True)
    found = plan(Situation(supply(2), [order(1), order(2), leaving]), LIMITS)
    assert (found.withdraw, found.publish, found.repeat) == ({}, [], [])
    unconfirmed = plan(Situation(supply(2), [order(1), order(2, state=S.PLANNED), leaving]), LIMITS)
    assert (unconfirmed.withdraw, unconfirmed.repeat) == ({}, [])
    closed = replace(leaving, state=S.CLOSED)
    assert plan(Situation(supply(3), [order(1), order(2), closed]), LIMITS).publish == [NewOrder(0, 1)]


@pytest.mark.parametrize(
    ("situation", "never", "terms", "always"),
    [
        (Situation(supply(1), [order(1, price=7)]), False, True, True),
        (Situation(supply(1), [order(1)], halt="the publisher stops"), False, True, True),
        (Situation(supply(1), [order(1)], lost="core has not answered for 60 s"), False, False, True),
        (Situation(supply(0), [order(1)]), False, False, True),
        (Situation(supply(1, accepts_work=False), [order(1)]), False, False, True),
        (Situation(None, [order(1, state=S.WITHDRAWING, reason="why")]), False, False, True),
    ],
    ids=["other terms", "stop", "core lost", "no slot", "no work", "arrived late"],
)
def test_the_setting_and_the_reason_decide_which_withdrawn_orders_are_cancelled(
    situation: Situation, never: bool, terms: bool, always: bool
) -> None:
    for cancel, expected in ((Cancel.NEVER, never), (Cancel.TERMS, terms), (Cancel.ALWAYS, always)):
        found = plan(situation, replace(LIMITS, cancel=cancel))
        assert list(found.withdraw) == [order(1).hash]
        assert (found.cancel == {order(1).hash}) is expected


def test_an_unconfirmed_order_goes_before_one_that_the_market_has() -> None:
    found = plan(Situation(supply(1), [order(1, state=S.PLANNED), order(2)]), LIMITS)
    assert list(found.withdraw) == [order(1).hash]
    assert found.repeat == []


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"price": 7}, "the price is 0 nRLC now"),
        ({"category": 4}, "category 4 is no longer offered"),
        ({"trust": 3}, "the tag, the trust or the restrictions have changed"),
    ],
)
def test_orders_of_other_terms_are_withdrawn_before_new_ones_take_their_slots(
    terms: dict[str, int], words: str
) -> None:
    old = order(1, **terms)
    found = plan(Situation(supply(slots_of_task(terms.get("trust", 1))), [old]), LIMITS)
    assert found.withdraw == {old.hash: words}
    assert found.publish == [], "it can still be bought"
    withdrawn = replace(old, state=S.WITHDRAWN, reason=words)
    assert plan(Situation(supply(1), [withdrawn]), LIMITS).publish == []
    assert len(plan(Situation(supply(1), [replace(withdrawn, state=S.CLOSED)]), LIMITS).publish) == 1


def test_a_price_in_the_range_stays() -> None:
    limits = replace(LIMITS, prices=(5, 9))
    found = plan(
        Situation(supply(3), [order(1, price=5), order(2, price=9), order(3, price=4)], stake=100), limits
    )
    assert found.withdraw == {order(3).hash: "the price is 5 to 9 nRLC now"}


@pytest.mark.parametrize(
    "situation",
    [
        Situation(supply(3), [order(1)], halt="ORDER_PUBLISHER_PAUSED is true"),
        Situation(supply(3, accepts_work=False), [order(1)]),
        Situation(None, [order(1)], lost="core has not answered for 60 s"),
    ],
)
def test_a_halt_withdraws_everything_with_its_reason(situation: Situation) -> None:
    found = plan(situation, LIMITS)
    assert list(found.withdraw.values()) == found.reasons
    assert (list(found.withdraw), found.publish, found.repeat) == ([order(1).hash], [], [])


@pytest.mark.parametrize(
    "situation", [Situation(None, [order(1)]), Situation(supply(0), [order(1)], settled=False)]
)
def test_what_is_on_offer_stays_until_core_and_chain_can_be_compared(situation: Situation) -> None:
    found = plan(situation, LIMITS)
    assert (found.withdraw, found.publish, found.repeat) == ({}, [], [])


def test_nothing_new_is_published_before_the_market_was_read() -> None:
    found = plan(Situation(supply(3), [order(1)], market_known=False), LIMITS)
    assert found.publish == []
    assert found.reasons == ["the market has not been listed since its outage"]


def test_an_enclave_tag_is_refused_in_words_without_an_sms() -> None:
    limits = replace(LIMITS, tag=f"0x{9:064x}")
    group = WorkerGroup(2, 1, tdx=True)
    refused = plan(Situation(Supply(1, (group,)), [], enclave_objection="no SMS serves TDX"), limits)
    assert (refused.publish, refused.reasons) == ([], ["no SMS serves TDX"])
    assert len(plan(Situation(Supply(1, (group,)), []), limits).publish) == 2
    assert plan(Situation(supply(2), []), limits).publish == []


def test_orders_of_others_take_slots() -> None:
    found = plan(Situation(supply(3), [], [order(8, 2, own=False)]), LIMITS)
    assert found.publish == [NewOrder(0, 1)]
    assert found.reasons == ["orders that this publisher did not sign offer 2 tasks"]


def test_a_trust_needs_several_workers() -> None:
    limits = replace(LIMITS, trust=3)
    alone = plan(Situation(supply(8), []), limits)
    assert (alone.publish, alone.reasons) == (
        [],
        ["TRUST 3 needs 2 workers with a free slot, and the pool has 1"],
    )
    two = Supply(1, (WorkerGroup(4, 2),))
    assert len(plan(Situation(two, []), limits).publish) == 4


def test_the_owner_s_stake_limits_paid_orders_in_words() -> None:
    limits = replace(LIMITS, prices=(10, 10))
    found = plan(Situation(supply(4), [order(1, price=10)], stake=7), limits)
    assert found.publish == [NewOrder(0, 1)]
    assert found.reasons == [
        "the pool owner's stake of 7 nRLC is too low to offer 4 tasks: each locks 3 nRLC (30 % of the price); "
        "deposit 5 nRLC more"
    ]
    poor = plan(Situation(supply(4), [order(1, price=10)], stake=2), limits)
    assert poor.withdraw == {order(1).hash: "the pool owner's stake does not cover it"}
    rich = plan(Situation(supply(4), [order(1, price=10)], stake=12), limits)
    assert (len(rich.publish), rich.reasons) == (3, [])


def test_categories_share_the_slots_evenly_with_the_first_one_preferred() -> None:
    limits = replace(LIMITS, categories=(5, 0))
    assert plan(Situation(supply(3), []), limits).publish == [NewOrder(5, 1), NewOrder(0, 1), NewOrder(5, 1)]
    found = plan(
        Situation(supply(2), [order(1, category=0), order(2, category=0), order(3, category=5)]), limits
    )
    assert list(found.withdraw) == [order(2).hash]


def test_volumes_and_limits() -> None:
    limits = replace(LIMITS, volume=4, max_volume=6)
    found = plan(Situation(supply(9), []), limits)
    assert found.publish == [NewOrder(0, 4), NewOrder(0, 2)]
    assert found.reasons == ["MAX_ORDER_NUMBER allows 6 tasks on offer in each category"]
    assert len(plan(Situation(supply(9), []), replace(LIMITS, max_orders=2)).publish) == 2
    assert (
        len(plan(Situation(supply(9), [], [order(8, own=False)]), replace(LIMITS, max_orders=2)).publish) == 1
    )
    lowered = plan(Situation(supply(9), [order(1), order(2)]), replace(LIMITS, max_volume=1))
    assert list(lowered.withdraw) == [order(2).hash]


def test_a_withdrawal_is_repeated_until_the_market_confirms_it() -> None:
    pending = order(1, state=S.WITHDRAWING, reason="why")
    assert plan(Situation(None, [pending]), LIMITS).withdraw == {pending.hash: "why"}


STATES = st.sampled_from(list(S))
ORDERS = st.lists(
    st.builds(
        lambda volume, settled, state, category, price, own: (
            volume,
            min(settled, volume),
            state,
            category,
            price,
            own,
        ),
        st.integers(1, 4),
        st.integers(0, 4),
        STATES,
        st.integers(0, 2),
        st.sampled_from([0, 10, 20]),
        st.booleans(),
    ),
    max_size=8,
)


@given(
    ORDERS,
    st.lists(st.builds(WorkerGroup, free_slots=st.integers(1, 5), workers=st.integers(1, 3)), max_size=3),
    st.integers(0, 6),
    st.integers(0, 60),
    st.sampled_from([(0, 0), (10, 10), (10, 20)]),
    st.integers(1, 3),
    st.sampled_from([None, 0, 2]),
    st.sampled_from([1, 3]),
)
def test_whatever_the_situation_the_offers_stay_within_capacity_stake_and_limits(
    drawn: list[tuple[int, int, S, int, int, bool]],
    groups: list[WorkerGroup],
    pending: int,
    stake: int,
    prices: tuple[int, int],
    volume: int,
    max_volume: int | None,
    trust: int,
) -> None:
    limits = replace(
        LIMITS, categories=(0, 1), prices=prices, volume=volume, max_volume=max_volume, trust=trust
    )
    orders: list[Order] = []
    foreign: list[Order] = []
    for number, (size, settled, state, category, price, own) in enumerate(drawn):
        terms = limits.terms(category, price)
        made = Order(f"0x{number:064x}", "0x", terms, size, float(number), state, settled=settled, own=own)
        (orders if own else foreign).append(made)
    current = Supply(5, tuple(groups), pending)
    found = plan(Situation(current, orders, foreign, stake=stake), limits)

    kept = [one for one in orders if one.is_wanted and one.hash not in found.withdraw]
    others = [one for one in (*orders, *foreign) if one not in kept]
    taken = sum(one.exposure * slots_of_task(one.terms.trust) for one in others)
    most = capacity(current, limits.requirement, slots_of_task(trust), taken)
    foreign_slots = sum(one.exposure * slots_of_task(one.terms.trust) for one in foreign)
    room = capacity(current, limits.requirement, slots_of_task(trust), foreign_slots)
    on_offer = sum(one.exposure for one in kept)
    assert on_offer <= room or on_offer == 0
    assert not found.publish or on_offer + sum(one.volume for one in found.publish) <= most
    sent = [one for one in kept if one.state is S.OPEN or one.hash in found.repeat]
    assert not found.repeat or sum(one.exposure for one in sent) <= most
    assert all(not limits.objection(one.terms) for one in kept)
    locked = sum(owner_stake(one.terms.price) * one.exposure for one in (*kept, *others) if one.exposure)
    locked += sum(owner_stake(prices[1]) * one.volume for one in found.publish)
    if found.publish and prices[1]:
        assert locked <= stake
    per_category = Counter[int]()
    for one in kept:
        per_category[one.terms.category] += one.exposure
    for new in found.publish:
        per_category[new.category] += new.volume
        assert 0 < new.volume <= volume
    if max_volume is not None:
        assert all(total <= max_volume for total in per_category.values())
    assert plan(Situation(current, orders, foreign, stake=stake), limits) == found, "it is deterministic"


def test_terms_are_compared_completely() -> None:
    other = replace(LIMITS.terms(0, 0), requester="0x" + "11" * 20)
    assert LIMITS.objection(other)
    assert isinstance(other, Terms)
