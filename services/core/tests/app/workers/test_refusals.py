"""Refused logins are remembered, the newest first and within bounds."""

from workerpool_core.app.workers.refusals import MOST, Refusals
from workerpool_kit.clock import FakeClock

ALICE, BOB = "0x" + "Aa" * 20, "0x" + "bB" * 20


def wallet(number: int) -> str:
    return f"0x{number:040x}"


def test_refusals_of_a_wallet_for_the_same_reason_are_counted() -> None:
    clock = FakeClock(100.0)
    refusals = Refusals(clock)
    refusals.record(ALICE, "BAD_SIGNATURE", "wrong wallet", "ipv4:10.0.0.1:7")
    clock.advance(5)
    refusals.record(ALICE.lower(), "BAD_SIGNATURE", "wrong wallet", "ipv4:10.0.0.2:7")
    (found,) = refusals.newest()
    assert (found.count, found.first_at, found.last_at) == (2, 100.0, 105.0)
    assert found.peer == "ipv4:10.0.0.2:7"


def test_the_newest_come_first_and_those_of_one_wallet_can_be_chosen() -> None:
    refusals = Refusals(FakeClock(0.0))
    for who, why in ((ALICE, "BAD_SIGNATURE"), (BOB, "NOT_WHITELISTED"), (ALICE, "BAD_VERSION")):
        refusals.record(who, why, "no", "peer")
    assert [found.reason for found in refusals.newest()] == [
        "BAD_VERSION",
        "NOT_WHITELISTED",
        "BAD_SIGNATURE",
    ]
    chosen = refusals.newest(refusals.newest()[0].wallet)
    assert [found.reason for found in chosen] == ["BAD_VERSION", "BAD_SIGNATURE"]


def test_the_oldest_are_dropped_above_the_limit() -> None:
    refusals = Refusals(FakeClock(0.0))
    for number in range(MOST + 1):
        refusals.record(wallet(number), "BAD_SIGNATURE", "no", "peer")
    found = refusals.newest()
    assert len(found) == MOST
    assert not refusals.newest(wallet(0))


def test_a_long_message_is_cut() -> None:
    refusals = Refusals(FakeClock(0.0))
    refusals.record(ALICE, "BAD_SIGNATURE", "x" * 10_000, "peer")
    assert len(refusals.newest()[0].message) == 300


def test_a_worker_that_connects_is_forgotten() -> None:
    refusals = Refusals(FakeClock(0.0))
    refusals.record(ALICE, "BAD_SIGNATURE", "no", "peer")
    refusals.record(BOB, "BAD_SIGNATURE", "no", "peer")
    refusals.forget(refusals.newest()[1].wallet)
    assert [found.wallet for found in refusals.newest()] == [refusals.newest()[0].wallet]
    assert refusals.newest()[0].wallet.lower() == BOB.lower()
