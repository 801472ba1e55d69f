"""What a wallet's pipeline shows to operators."""

from dataclasses import dataclass

from workerpool_transactions import metrics
from workerpool_transactions.app.context import Context
from workerpool_transactions.domain.balance import transactions_left
from workerpool_transactions.domain.entry import LIVE_STATES, EntryState
from workerpool_transactions.domain.profile import Shape


@dataclass(frozen=True, slots=True)
class Status:
    """One wallet now. Amounts in wei, `price` in wei per gas; None before the node was read."""

    shape: Shape
    in_flight: int
    oldest_unmined_s: float
    replacements: int
    fillers: int
    mined_nonce: int
    """The count of mined transactions: the wallet's next nonce on chain."""
    next_nonce: int | None
    """The nonce of the next entry; None until it is read from the node."""
    parked_reason: str
    """Why nothing is sent; empty while the wallet is not parked."""
    balance: int | None
    price: int | None
    transactions_left: int | None
    """Transactions that the balance pays for; None when gas is free, or before the node was read."""


def status_of(context: Context) -> Status:
    """Return the status, and publish it as metrics."""
    now = context.clock.now()
    created = [each.entry.created_at for each in context.queue.in_order()]
    fees = context.fees
    price = None if fees.newest is None else context.policy.price(fees.newest)
    unknown = price is None or fees.balance is None
    status = Status(
        shape=context.profile.shape,
        in_flight=len(context.queue),
        oldest_unmined_s=max(now - min(created, default=now), 0.0),
        replacements=context.replacements,
        fillers=context.fillers,
        mined_nonce=context.counting.mined,
        next_nonce=context.next_nonce,
        parked_reason=context.queue.brake.parked_reason,
        balance=fees.balance,
        price=price,
        transactions_left=None if unknown else transactions_left(fees.balance or 0, price or 0),
    )
    _publish(context.wallet, status)
    return status


def _publish(wallet: str, status: Status) -> None:
    # Prometheus sees no increase in a series that starts at 1, so each counter exists before its first event.
    for counter in (metrics.REPLACEMENTS, metrics.FILLERS, metrics.RESTORED):
        counter.labels(wallet)
    for state in set(EntryState) - LIVE_STATES:
        metrics.ENDED.labels(wallet, state.value)
    metrics.IN_FLIGHT.labels(wallet).set(status.in_flight)
    metrics.OLDEST_UNMINED_SECONDS.labels(wallet).set(status.oldest_unmined_s)
    metrics.PARKED.labels(wallet).set(bool(status.parked_reason))
    if status.balance is not None and status.price is not None:
        left = status.transactions_left
        metrics.BALANCE_WEI.labels(wallet).set(status.balance)
        metrics.TRANSACTIONS_LEFT.labels(wallet).set(float("inf") if left is None else left)
