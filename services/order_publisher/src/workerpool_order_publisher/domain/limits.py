"""The operator's limits: the terms of the orders, and the largest number of tasks and orders."""

from dataclasses import dataclass
from enum import StrEnum

from workerpool_poco.protocol.consensus import contributions_needed

from workerpool_order_publisher.domain.order_book import Terms
from workerpool_order_publisher.domain.supply import Requirement

STAKE_PERCENT = 30
"""Percent of the price that a match locks of the pool owner's stake (IexecPoco1 `WORKERPOOL_STAKE_RATIO`)."""


class Cancel(StrEnum):
    """Which withdrawn orders are also cancelled on chain, so that no copy of their signature can be matched."""

    NEVER = "never"
    """None: the market's withdrawal suffices."""
    TERMS = "terms"
    """Those that the operator no longer sells: after other terms, a pause, or a stop that withdraws."""
    ALWAYS = "always"
    """All, including those that the pool cannot serve at the moment."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings of the operator.

    `prices` are the lowest and the highest price in nRLC per task. `volume` is the maximum of tasks of one order,
    `max_volume` of tasks on offer in each category (None without a limit), `max_orders` of open orders of the wallet.
    """

    categories: tuple[int, ...]
    prices: tuple[int, int]
    tag: str
    trust: int
    app: str
    dataset: str
    requester: str
    volume: int = 1
    max_volume: int | None = None
    max_orders: int = 50
    gpu_pool: bool = False
    cancel: Cancel = Cancel.NEVER

    @property
    def requirement(self) -> Requirement:
        """The hardware that the tasks need."""
        return Requirement.of(self.tag, gpu_pool=self.gpu_pool)

    def terms(self, category: int, price: int) -> Terms:
        """Return the terms of an order."""
        return Terms(category, price, self.tag, self.trust, self.app, self.dataset, self.requester)

    def objection(self, terms: Terms) -> str:
        """Return why an order of these terms is no longer sold; empty when it is."""
        low, high = self.prices
        if not low <= terms.price <= high:
            price = f"{low}" if low == high else f"{low} to {high}"
            return f"the price is {price} nRLC now"
        if terms.category not in self.categories:
            return f"category {terms.category} is no longer offered"
        if terms != self.terms(terms.category, terms.price):
            return "the tag, the trust or the restrictions have changed"
        return ""


def slots_of_task(trust: int) -> int:
    """Return the maximum of slots for a task of this trust: one for each contribution of workers without history."""
    return contributions_needed(max(trust, 1))


def owner_stake(price: int) -> int:
    """Return the nRLC that the match of one task locks of the pool owner's stake.

    The hub rounds down per task (IexecPoco1 `matchOrders`).
    """
    return price * STAKE_PERCENT // 100
