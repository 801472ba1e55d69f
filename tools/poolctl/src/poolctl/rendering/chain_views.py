"""Transactions, orders and deals as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workerpool_kit.text.plurals import counted
from workerpool_kit.text.spans import span
from workerpool_poco.protocol.encoding.amounts import coins, rlc

from poolctl.domain.texts import age, short
from poolctl.rendering.tables import note, pairs, table

if TYPE_CHECKING:
    from rich.console import RenderableType


def commands_view(document: Mapping[str, Any], now: float) -> Iterator["RenderableType"]:
    """Show the wallet that signs, and the commands of the chain adapter, newest first."""
    wallet = document["wallet"]
    left = wallet["transactions_left"]
    yield pairs(
        [
            ("wallet", wallet["address"]),
            ("balance", coins(int(wallet["balance_wei"] or 0))),
            (
                "gas",
                "free" if left is None else f"for {left} transactions, {wallet['gas_price_wei']} wei a unit",
            ),
            ("nonces", f"{wallet['mined_nonce']} mined, {wallet['in_flight']} in flight"),
            ("oldest in flight", span(wallet["oldest_unmined"] or 0) if wallet["in_flight"] else ""),
            ("sends nothing", wallet["parked_reason"]),
        ]
    )
    commands = document["commands"]
    if not commands:
        yield note("no command matches")
        return
    yield table(
        ("TASK OR ORDER", "KIND", "STATE", "AGE", "SENT", "BLOCK", "GAS", "TRANSACTION", "REASON"),
        (
            (
                each["task_id"],
                each["kind"],
                each["state"],
                age(each["created_at"], now),
                each["attempts"],
                each["block_number"] or "",
                each["gas_used"] or "",
                short(each["transaction_hash"]),
                each["error_message"] or each["error_reason"],
            )
            for each in commands
        ),
        numbers=("AGE", "SENT", "BLOCK", "GAS"),
    )
    yield note(counted(len(commands), "command"))


def deals_view(document: Sequence[Mapping[str, Any]], now: float) -> Iterator["RenderableType"]:
    """Show deals, one a line."""
    if not document:
        yield note("no deal matches")
        return
    yield table(
        ("DEAL", "AGE", "TASKS", "BY STATUS", "TRUST", "APP", "REQUESTER"),
        (
            (
                each["deal_id"],
                age(each["start_time"], now),
                each["bot_size"],
                _by_status(each),
                each["trust"],
                each["app_uri"],
                short(each["requester"]),
            )
            for each in document
        ),
        numbers=("AGE", "TASKS", "TRUST"),
    )
    yield note(counted(len(document), "deal"))


def _by_status(deal: Mapping[str, Any]) -> str:
    parts = [f"{number} {name}" for name, number in deal["tasks_by_status"].items() if number]
    return ", ".join([*parts, *([f"{deal['queued_tasks']} queued"] if deal["queued_tasks"] else [])])


def deal_view(document: Mapping[str, Any], now: float) -> Iterator["RenderableType"]:
    """Show one deal, and why its tasks wait or failed, the most frequent reason first."""
    deal = document["deal"]
    yield pairs(
        [
            ("deal", deal["deal_id"]),
            ("age", age(deal["start_time"], now)),
            ("tasks", f"{deal['bot_size']} from index {deal['bot_first']}: {_by_status(deal)}"),
            ("app", deal["app_uri"]),
            ("arguments", deal["command_line"]),
            ("requester", deal["requester"]),
            ("trust", deal["trust"]),
            ("tag", _tag(deal["tag"])),
            ("final deadline", deal["final_deadline"]),
        ]
    )
    for each in document["reasons"]:
        reason = each["reason"] or {}
        yield note(f"{counted(each['tasks'], 'task')}: {reason.get('sentence', '')}", "bold")
        yield note(f"  {reason.get('next_step', '')}  [{reason.get('code', '')}, such as {each['task_id']}]")


def offers_view(document: Mapping[str, Any], now: float) -> Iterator["RenderableType"]:
    """Show the orders that the publisher keeps, and why it offers no more."""
    yield pairs(
        [
            ("on offer", counted(document["open_volume"], "task")),
            ("capacity", counted(document["capacity"], "task")),
            ("orders of others", document["foreign_volume"] or ""),
            (
                "compared",
                f"{age(document['reconciled_at'], now)} ago" if document["reconciled_at"] else "not yet",
            ),
        ]
    )
    for reason in document["reasons"]:
        yield note(f"! {reason}", "yellow")
    if document["offers"]:
        yield table(
            ("ORDER", "STATE", "CATEGORY", "PRICE", "LEFT", "VOLUME", "TRUST", "TAG", "REASON"),
            (
                (
                    each["order_hash"],
                    each["state"],
                    each["category"],
                    rlc(each["price"]),
                    each["remaining"],
                    each["volume"],
                    each["trust"],
                    _tag(each["tag"]),
                    each["reason"],
                )
                for each in document["offers"]
            ),
            numbers=("CATEGORY", "PRICE", "LEFT", "VOLUME", "TRUST"),
        )


def market_view(document: Sequence[Mapping[str, Any]]) -> Iterator["RenderableType"]:
    """Show the open workerpool orders of a market, also those of other publishers."""
    if not document:
        yield note("the market lists no open order of this pool")
        return
    yield table(
        ("ORDER", "CATEGORY", "PRICE", "LEFT", "VOLUME", "TRUST", "TAG", "REQUESTER"),
        (
            (
                each.get("orderHash", ""),
                each["order"]["category"],
                rlc(int(each["order"]["workerpoolprice"])),
                each.get("remaining", ""),
                each["order"]["volume"],
                each["order"]["trust"],
                _tag(each["order"]["tag"]),
                _restriction(each["order"].get("requesterrestrict", "")),
            )
            for each in document
        ),
        numbers=("CATEGORY", "PRICE", "LEFT", "VOLUME", "TRUST"),
    )
    yield note(counted(len(document), "order"))


def _tag(tag: str) -> str:
    """Return a tag without its leading zeros; empty for a standard one."""
    return "" if not tag.strip("0x") else f"0x{tag.removeprefix('0x').lstrip('0')}"


def _restriction(address: str) -> str:
    return address if address.strip("0x") else ""
