"""Transactions and orders as tables."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from poolctl.adapters.plain import plain
from poolctl.rendering.chain_views import commands_view, deal_view, deals_view, market_view, offers_view
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as adapter
from workerpool_protocol.core.v1 import deal_service_pb2 as deals
from workerpool_protocol.core.v1 import reason_pb2 as reasons
from workerpool_protocol.order_publisher.v1 import offer_service_pb2 as publisher

from .shown import shown

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
ORDER, TAG = "0x" + "0f" * 32, "0x" + "0" * 61 + "100"


def test_commands_show_the_wallet_and_why_one_failed() -> None:
    wallet = adapter.GetWalletResponse(
        address="0xw", balance_wei=str(5 * 10**17), transactions_left=9, gas_price_wei="7"
    )
    command = adapter.Command(
        task_id=ORDER,
        kind=adapter.COMMAND_KIND_FINALIZE,
        state=adapter.COMMAND_STATE_FAILURE,
        error_message="the task is not revealed",
        created_at=Timestamp(seconds=int(NOW) - 61),
        attempts=2,
    )
    text = shown(commands_view({"wallet": plain(wallet), "commands": [plain(command)]}, NOW))
    for part in (
        "0.5 coins",
        "for 9 transactions",
        ORDER,
        "FINALIZE",
        "FAILURE",
        "1 min 1 s",
        "not revealed",
    ):
        assert part in text


def test_an_empty_list_of_commands_says_so() -> None:
    wallet = plain(adapter.GetWalletResponse(balance_wei="0"))
    assert "no command matches" in shown(commands_view({"wallet": wallet, "commands": []}, NOW))


def test_offers_show_why_no_more_is_offered() -> None:
    offer = publisher.Offer(
        order_hash=ORDER,
        state=publisher.OFFER_STATE_OPEN,
        price=2 * 10**9,
        volume=3,
        remaining=1,
        tag=TAG,
        trust=1,
    )
    answer = publisher.GetOffersResponse(
        offers=[offer], open_volume=1, capacity=4, reasons=["the stake is too low"]
    )
    text = shown(offers_view(plain(answer), NOW))
    for part in ("1 task", "4 tasks", "not yet", "the stake is too low", ORDER, "OPEN", "2 RLC", "0x100"):
        assert part in text


def test_the_orders_of_a_market_show_price_and_restriction() -> None:
    order = {
        "category": 0,
        "workerpoolprice": 10**9,
        "volume": 1,
        "trust": 1,
        "tag": "0x" + "0" * 64,
        "requesterrestrict": "0x" + "ab" * 20,
    }
    text = shown(market_view([{"order": order, "orderHash": ORDER, "remaining": 1}]))
    assert ORDER in text
    assert "1 RLC" in text
    assert "0x" + "ab" * 20 in text
    assert "no open order" in shown(market_view([]))


def test_a_deal_shows_its_tasks_and_why_they_wait() -> None:
    deal = deals.Deal(
        deal_id=ORDER, bot_size=5, tasks_by_status={"RUNNING": 2, "FAILED": 0}, queued_tasks=3, trust=1
    )
    text = shown(deals_view([plain(deal)], NOW))
    for part in (ORDER, "2 RUNNING, 3 queued", "1 deal"):
        assert part in text
    reason = reasons.Reason(
        code=reasons.REASON_CODE_TRUST_TOO_HIGH, sentence="the trust is too high", next_step="wait"
    )
    answer = deals.GetDealResponse(
        deal=deal, reasons=[deals.CountedReason(reason=reason, tasks=2, task_id="0xt")]
    )
    text = shown(deal_view(plain(answer), NOW))
    for part in ("2 tasks: the trust is too high", "wait", "TRUST_TOO_HIGH", "0xt"):
        assert part in text
    assert "no deal matches" in shown(deals_view([], NOW))
