"""The pool owner's wallet, stake and transactions."""

from typing import NamedTuple

from starlette.responses import Response

from workerpool_core.api.operator_page import paging
from workerpool_core.api.operator_page.formatting import Moment, coins, gwei, moment, rlc, short, span
from workerpool_core.api.operator_page.frame import Frame, Visit
from workerpool_core.api.operator_page.reasons import sentence
from workerpool_core.app.ports import CommandPage, CommandQuery, CommandState, TransactionCommand
from workerpool_core.app.queries.pool_wallet import WalletNow
from workerpool_core.app.running import Core
from workerpool_core.errors import AdapterUnavailable, BadRequest

_CANCEL_ORDER = "CANCEL_ORDER"
_LOOKS = {CommandState.SUCCESS.value: "good", CommandState.FAILURE.value: "bad"}


class CommandRow(NamedTuple):
    """One command of the chain adapter; for one about an order, `task_id` is empty and `subject` names the order."""

    task_id: str
    subject: str
    kind: str
    state: str
    look: str
    requested: Moment | None
    changed: Moment | None
    transaction: str
    block: int
    gas_used: int
    attempts: int
    problem: str


class Wallet:
    """The pages of wallet and transactions."""

    def __init__(self, frame: Frame, core: Core) -> None:
        self._frame = frame
        self._core = core

    async def transactions(self, visit: Visit) -> Response:
        """Show one page of transactions, newest first, or the problem of the adapter. Raises BadPageToken."""
        running = self._core.running
        filters = {"state": visit.query("state")}
        page, problem = CommandPage([], ""), ""
        try:
            query = CommandQuery(state=_state(filters["state"]))
            page = await running.pool_wallet.transactions(query, visit.query("page"), paging.PAGE)
        except AdapterUnavailable as error:
            problem = sentence(error.message)
        now = running.clock.now()
        return self._frame.page(
            visit,
            "transactions.html",
            200 if not problem else 503,
            rows=[_row(command, now) for command in page.commands],
            filters=filters,
            states=[state.value for state in CommandState],
            problem=problem,
            next_page=paging.next_link(filters, page.next_token),
            first_page=paging.link(filters) if visit.query("page") else "",
        )

    async def wallet(self, visit: Visit) -> Response:
        """Show wallet and stake, or the problem of the adapter or the node."""
        found = await self._core.running.pool_wallet.now()
        return self._frame.page(
            visit,
            "wallet.html",
            owner=found.owner,
            parked=sentence(found.wallet.parked_reason) if found.wallet is not None else "",
            stake=_stake(found),
            stake_problem=sentence(found.account_problem),
            sending=_sending(found),
            sending_problem=sentence(found.wallet_problem),
        )


def _stake(found: WalletNow) -> list[tuple[str, str]]:
    if found.account is None:
        return []
    return [
        ("Balance", f"{coins(found.balance_wei)} coins of the chain ({found.balance_wei} wei)"),
        ("Free stake", f"{rlc(found.account.stake)} ({found.account.stake} nRLC)"),
        ("Locked stake", f"{rlc(found.account.locked)} ({found.account.locked} nRLC)"),
    ]


def _sending(found: WalletNow) -> list[tuple[str, str]]:
    wallet = found.wallet
    if wallet is None:
        return []
    left = (
        "no limit, because gas is free" if wallet.transactions_left is None else str(wallet.transactions_left)
    )
    return [
        ("Signing wallet", wallet.address),
        ("Transactions that the balance pays for", left),
        ("Transactions in flight", str(wallet.in_flight)),
        ("Oldest of them", f"sent {span(wallet.oldest_unmined_s)} ago" if wallet.in_flight else "none"),
        ("Mined so far", str(wallet.mined_nonce)),
        ("Next nonce", str(wallet.next_nonce)),
        ("Replaced at a higher price", str(wallet.replacements)),
        ("Price of gas", gwei(wallet.gas_price_wei)),
        ("Shape of the chain", wallet.chain_shape),
    ]


def _row(command: TransactionCommand, now: float) -> CommandRow:
    of_task = command.kind != _CANCEL_ORDER
    problem = " ".join(part for part in (command.reason, sentence(command.message)) if part)
    return CommandRow(
        command.task_id if of_task else "",
        short(command.task_id),
        command.kind,
        command.state,
        _LOOKS.get(command.state, "busy"),
        moment(command.created_at, now),
        moment(command.updated_at, now),
        command.transaction,
        command.block,
        command.gas_used,
        command.attempts,
        problem,
    )


def _state(value: str) -> CommandState | None:
    try:
        return CommandState(value) if value else None
    except ValueError:
        raise BadRequest("choose one of the states that the form offers") from None
