"""What the operator sells and how much of it at most."""

from dataclasses import dataclass
from enum import StrEnum

from workerpool_poco.protocol.consensus import contributions_needed

from workerpool_order_publisher.domain.order_book import Terms
from workerpool_order_publisher.domain.supply import Requirement

STAKE_PERCENT = 30
"""Share of the price that a match locks of the pool owner's stake (IexecPoco1 `WORKERPOOL_STAKE_RATIO`)."""


class Cancel(StrEnum):
    """Which withdrawn orders are closed on chain too, so that no copy of their signature can be matched."""

    NEVER = "never"
    """None: the market's withdrawal is enough."""
    TERMS = "terms"
    """Those that the operator does not want to sell any more: other terms, a pause, a stop that withdraws."""
    ALWAYS = "always"
    """All: also those that the pool cannot serve at the moment."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings of the operator.

    `prices` are the lowest and the highest price in nRLC per task. `volume` is the most tasks of one order,
    `max_volume` the most tasks on offer in each category (None without a limit), `max_orders` the most open orders of
    the wallet.
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
        """Return why an order of these terms is not sold any more; empty when it is."""
        low, high = self.prices
        if not low <= terms.price <= high:
            price = f"{low}" if low == high else f"{low} to {high}"
            return f"the price is {price} nRLC now"
        if terms.category not in self.categories:
            return f"category {terms.category} is not offered any more"
        if terms != self.terms(terms.category, terms.price):
            return "the tag, the trust or the restrictions are others now"
        return ""


def slots_of_task(trust: int) -> int:
    """Return the most slots that a task of this trust takes: one for each contribution of workers without history."""
    return contributions_needed(max(trust, 1))


def owner_stake(price: int) -> int:
    """Return the nRLC that the match of one task locks of the pool owner's stake.

    The hub rounds down for each task (IexecPoco1 `matchOrders`).
    """
    return price * STAKE_PERCENT // 100
