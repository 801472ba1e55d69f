"""Plan which orders to withdraw and to publish, so that the open volume never exceeds the pool's capacity."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workerpool_order_publisher.domain.limits import Cancel, Limits, owner_stake, slots_of_task
from workerpool_order_publisher.domain.order_book import Order, OrderState
from workerpool_order_publisher.domain.supply import Supply, capacity


@dataclass(frozen=True, slots=True)
class Situation:
    """The input of a plan.

    `supply` is None before core's first message. `halt` is why no order may be offered (paused, stopping); `lost` is
    the dependency that has been lost for too long to offer anything; each is empty otherwise. `stake` is the owner's
    free stake in nRLC, None before it is read. `enclave_objection` is why tasks of an enclave tag cannot be served,
    empty for other tags. `settled`: the orders are settled at the block of the supply. `market_known`: the market has
    been listed since the last outage.
    """

    supply: Supply | None
    orders: Sequence[Order]
    foreign: Sequence[Order] = ()
    stake: int | None = None
    halt: str = ""
    lost: str = ""
    enclave_objection: str = ""
    settled: bool = True
    market_known: bool = True


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to sign; its price is drawn from the range in the limits."""

    category: int
    volume: int


@dataclass(slots=True)
class Plan:
    """Withdrawals by hash with their reasons, publications to repeat, new orders, and the reasons against more.

    `cancel` contains the hashes of the withdrawn orders that are also cancelled on chain.
    """

    withdraw: dict[str, str] = field(default_factory=dict)
    cancel: set[str] = field(default_factory=set)
    repeat: list[str] = field(default_factory=list)
    publish: list[NewOrder] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    capacity: int = 0


def plan(now: Situation, limits: Limits) -> Plan:
    """Return the plan for a situation. It is a pure function."""
    result = Plan()
    kept: list[Order] = []
    for order in now.orders:
        if order.state is OrderState.WITHDRAWING:
            _withdraw(order, order.reason, result, cancels=limits.cancel is Cancel.ALWAYS)
        elif order.is_wanted:
            objection = limits.objection(order.terms)
            if objection:
                _withdraw(order, objection, result, cancels=limits.cancel is not Cancel.NEVER)
            else:
                kept.append(order)
    reason = _halt(now, limits)
    if reason:
        result.reasons.append(reason)
        cancels = limits.cancel is Cancel.ALWAYS or (limits.cancel is Cancel.TERMS and bool(now.halt))
        for order in kept:
            _withdraw(order, reason, result, cancels=cancels)
        return result
    if now.supply is None or not now.settled:
        # Keep the current offers until core and chain can be compared.
        result.reasons.append("waiting for core's supply and the chain")
        return result
    _fit(now, now.supply, limits, kept, result)
    return result


def _withdraw(order: Order, reason: str, result: Plan, *, cancels: bool) -> None:
    result.withdraw[order.hash] = reason
    if cancels:
        result.cancel.add(order.hash)


def _halt(now: Situation, limits: Limits) -> str:
    """Return why nothing may be offered; empty when orders may be offered."""
    if now.halt or now.lost:
        return now.halt or now.lost
    if now.supply is not None and not now.supply.accepts_work:
        return "core assigns no work, because its chain is down"
    return now.enclave_objection if limits.requirement.framework is not None else ""


def _fit(now: Situation, supply: Supply, limits: Limits, kept: list[Order], result: Plan) -> None:
    """Keep as many orders as fit, oldest first, withdraw the others, and plan new orders for the remaining capacity."""
    per_task = slots_of_task(limits.trust)
    # Withdrawn orders take capacity from new orders, but not from open ones: these would all be withdrawn one by one.
    room = capacity(supply, limits.requirement, per_task, _slots(now.foreign))
    kept = _withdraw_excess(kept, room, limits, result)
    payable = _affordable(now, now.foreign, limits)
    if payable is not None:
        kept = _withdraw_unaffordable(kept, payable, limits, result)
    keep = {order.hash for order in kept}
    others = [order for order in (*now.orders, *now.foreign) if order.hash not in keep]
    result.capacity = capacity(supply, limits.requirement, per_task, _slots(others))
    affordable = _affordable(now, others, limits)
    result.repeat = _unconfirmed(kept, result.capacity)
    if now.market_known:
        open_orders = sum(1 for order in (*others, *kept) if order.exposure)
        _publish(kept, open_orders, affordable, limits, result)
    _explain(now, supply, limits, per_task, result)


def _slots(orders: Iterable[Order]) -> int:
    """Return the maximum of slots that the tasks of orders take."""
    return sum(order.exposure * slots_of_task(order.terms.trust) for order in orders)


def _unconfirmed(kept: list[Order], most: int) -> list[str]:
    """Return the hashes of the orders to publish again that fit beside the withdrawn ones; `kept` is sorted by age."""
    found, volume = [], 0
    for order in kept:
        volume += order.exposure
        if order.state is OrderState.PLANNED and volume <= most:
            found.append(order.hash)
    return found


def _withdraw_excess(kept: list[Order], most: int, limits: Limits, result: Plan) -> list[Order]:
    """Withdraw the newest orders of the largest categories until the rest fits; return the rest, oldest first."""
    kept = sorted(kept, key=_age)
    volumes = _volumes(kept)
    while kept and (excess := _excess(volumes, most, limits)):
        category, reason = excess
        order = next(order for order in reversed(kept) if order.terms.category == category)
        kept.remove(order)
        volumes[category] -= order.exposure
        _withdraw(order, reason, result, cancels=limits.cancel is Cancel.ALWAYS)
    return kept


def _excess(volumes: Counter[int], most: int, limits: Limits) -> tuple[int, str] | None:
    """Return a category from which to withdraw an order, and why; None when all orders fit."""
    if not volumes:
        return None
    category, volume = max(volumes.items(), key=lambda item: (item[1], item[0]))
    if volume and sum(volumes.values()) > most:
        return category, f"the pool can serve {most} more tasks"
    if limits.max_volume is not None and volume > limits.max_volume:
        return category, f"MAX_ORDER_NUMBER allows {limits.max_volume} tasks on offer"
    return None


def _affordable(now: Situation, others: Iterable[Order], limits: Limits) -> int | None:
    """Return the nRLC of the owner's stake that the open orders may lock; None for free tasks."""
    if limits.prices[1] == 0:
        return None
    locked = sum(owner_stake(order.terms.price) * order.exposure for order in others)
    return max((now.stake or 0) - locked, 0)


def _withdraw_unaffordable(kept: list[Order], affordable: int, limits: Limits, result: Plan) -> list[Order]:
    """Return the oldest orders whose matches the owner's stake covers; withdraw the others."""
    covered, locked = [], 0
    for order in kept:
        needed = owner_stake(order.terms.price) * order.exposure
        if locked + needed > affordable:
            reason = "the pool owner's stake does not cover it"
            _withdraw(order, reason, result, cancels=limits.cancel is Cancel.ALWAYS)
        else:
            locked += needed
            covered.append(order)
    return covered


def _publish(
    kept: list[Order], open_orders: int, affordable: int | None, limits: Limits, result: Plan
) -> None:
    """Plan new orders for the remaining capacity, first for the category with the least volume on offer."""
    volumes = _volumes(kept)
    room = result.capacity - sum(volumes.values())
    stake = owner_stake(limits.prices[1])
    if affordable is not None:
        affordable -= sum(owner_stake(order.terms.price) * order.exposure for order in kept)
    while room > 0 and open_orders < limits.max_orders:
        category = min(limits.categories, key=lambda one: volumes[one])
        volume = min(limits.volume, room)
        if limits.max_volume is not None:
            volume = min(volume, limits.max_volume - volumes[category])
        if affordable is not None and stake:
            volume = min(volume, affordable // stake)
            affordable -= max(volume, 0) * stake
        if volume <= 0:
            return
        result.publish.append(NewOrder(category, volume))
        volumes[category] += volume
        room -= volume
        open_orders += 1


def _explain(now: Situation, supply: Supply, limits: Limits, per_task: int, result: Plan) -> None:
    """Add the reasons why less is offered than the free slots allow."""
    able = sum(g.workers for g in supply.groups if limits.requirement.is_met_by(g) and g.free_slots)
    if per_task > 1 and able < per_task:
        result.reasons.append(
            f"TRUST {limits.trust} needs {per_task} workers with a free slot, and the pool has {able}"
        )
    foreign = sum(order.exposure for order in now.foreign)
    if foreign:
        result.reasons.append(f"orders that this publisher did not sign offer {foreign} tasks")
    if not now.market_known:
        result.reasons.append("the market has not been listed since its outage")
    stake = owner_stake(limits.prices[1])
    offered = sum(order.exposure for order in now.orders if order.hash not in result.withdraw)
    offered += sum(order.volume for order in result.publish)
    if stake and offered < result.capacity and (now.stake or 0) < stake * result.capacity:
        result.reasons.append(
            f"the pool owner's stake of {now.stake or 0} nRLC is too low to offer {result.capacity} tasks: each locks "
            f"{stake} nRLC (30 % of the price); deposit {stake * result.capacity - (now.stake or 0)} nRLC more"
        )
    if limits.max_volume is not None and offered < result.capacity and not now.foreign:
        result.reasons.append(f"MAX_ORDER_NUMBER allows {limits.max_volume} tasks on offer in each category")


def _volumes(orders: Iterable[Order]) -> Counter[int]:
    volumes: Counter[int] = Counter()
    for order in orders:
        volumes[order.terms.category] += order.exposure
    return volumes


def _age(order: Order) -> tuple[bool, float, str]:
    """Return a sort key: confirmed orders before unconfirmed ones, then old before new."""
    return order.state is OrderState.PLANNED, order.created_at, order.hash
