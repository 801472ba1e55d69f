"""Offers: headroom over the base fee, the cap, replacements, free chains."""

import pytest
from workerpool_transactions.domain.answers import FeeQuote
from workerpool_transactions.domain.entry import Offer
from workerpool_transactions.domain.fees import FeePolicy

GWEI = 10**9


@pytest.mark.parametrize(
    ("policy", "quote", "offer"),
    [
        pytest.param(FeePolicy(), FeeQuote(100, 110, 5), Offer(205, 5), id="twice the base fee and the tip"),
        pytest.param(FeePolicy(1.0, 150), FeeQuote(100, 110, 5), Offer(150, 5), id="at most the cap"),
        pytest.param(
            FeePolicy(1.0, 3), FeeQuote(100, 110, 5), Offer(3, 3), id="a tip is never above the offer"
        ),
        pytest.param(
            FeePolicy(0.5), FeeQuote(100, 110), Offer(200, 0), id="no multiplier undercuts the base fee"
        ),
        pytest.param(FeePolicy(1.5), FeeQuote(None, 100), Offer(150), id="legacy without a base fee"),
        pytest.param(FeePolicy(0, GWEI), FeeQuote(7, 7), Offer(0), id="multiplier 0 pays nothing"),
        pytest.param(FeePolicy(1.0, 0), FeeQuote(None, 7), Offer(0), id="cap 0 pays nothing"),
    ],
)
def test_an_offer(policy: FeePolicy, quote: FeeQuote, offer: Offer) -> None:
    assert policy.offer(quote) == offer


def test_a_replacement_raises_fee_and_tip_by_fifteen_percent() -> None:
    assert FeePolicy().replacement(Offer(200, 10), FeeQuote(90, 100, 1)) == Offer(230, 12)


def test_a_replacement_of_a_tip_of_zero_still_raises_it() -> None:
    assert FeePolicy().replacement(Offer(200, 0), FeeQuote(90, 100)) == Offer(230, 1)


def test_a_replacement_follows_a_spike_of_the_base_fee() -> None:
    assert FeePolicy().replacement(Offer(200, 10), FeeQuote(500, 600, 1)) == Offer(1001, 12)


@pytest.mark.parametrize(
    ("policy", "paid"),
    [(FeePolicy(1.0, 220), Offer(200, 1)), (FeePolicy(1.0, 0), Offer(0)), (FeePolicy(0, 220), Offer(0))],
)
def test_the_limits_forbid_a_replacement(policy: FeePolicy, paid: Offer) -> None:
    assert policy.replacement(paid, FeeQuote(100, 100)) is None


def test_the_cap_is_compared_with_the_base_fee() -> None:
    assert FeePolicy(1.0, 100).reaches(FeeQuote(100, 150, 50))
    assert not FeePolicy(1.0, 99).reaches(FeeQuote(100, 150, 50))


@pytest.mark.parametrize(
    ("policy", "quote", "price"),
    [
        pytest.param(FeePolicy(1.3), FeeQuote(100, 110, 5), 105, id="the base fee and the tip are charged"),
        pytest.param(FeePolicy(1.3), FeeQuote(None, 100), 130, id="a legacy offer is charged as it is"),
        pytest.param(FeePolicy(1.3, 50), FeeQuote(100, 110, 5), 50, id="at most the cap"),
        pytest.param(FeePolicy(0), FeeQuote(100, 110, 5), 0, id="multiplier 0"),
        pytest.param(FeePolicy(1.3, 0), FeeQuote(None, 100), 0, id="cap 0"),
    ],
)
def test_the_price_of_today(policy: FeePolicy, quote: FeeQuote, price: int) -> None:
    assert policy.price(quote) == price


def test_a_refused_offer_doubles_where_only_the_base_fee_is_charged() -> None:
    assert FeePolicy().raised(Offer(200, 10), FeeQuote(90, 100, 1)) == Offer(400, 12)


def test_a_refused_offer_rises_to_the_cap_and_not_above() -> None:
    policy = FeePolicy(1.0, 300)
    assert policy.raised(Offer(200, 10), FeeQuote(90, 100, 1)) == Offer(300, 12)
    assert policy.raised(Offer(300, 10), FeeQuote(90, 100, 1)) is None


def test_a_refused_legacy_price_rises_by_fifteen_percent() -> None:
    assert FeePolicy().raised(Offer(200), FeeQuote(None, 100)) == Offer(230)
