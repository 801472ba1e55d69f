"""Consensus arithmetic of the contract, and the scheduler's forecast of it (core spec §6.1, §6.2).

A worker's weight grows with its score. Contributions with the same result hash form a group whose weight is the product
of its members' weights. A task has consensus when the share of one group reaches the credibility that the deal's trust
demands.
"""

from collections.abc import Iterable

MIN_WEIGHT = 2
"""The weight of a worker without history (score 0 to 11)."""


def weight_from_score(score: int) -> int:
    """Return the weight of a worker with this on-chain score: `max(score // 3, 3) - 1`."""
    return max(score // 3, 3) - 1


def group_weight(weights: Iterable[int]) -> int:
    """Return the weight of a group of equal contributions: the product, or 0 for an empty group."""
    product = 0
    for weight in weights:
        product = max(product, 1) * weight
    return product


def consensus_reached(best_group: int, all_groups: Iterable[int], trust: int) -> bool:
    """Return whether the contract declares consensus for a group.

    `all_groups` includes `best_group`. The contract tests `group · trust > total · (trust - 1)` with
    `total = 1 + Σ groups` after every contribution: a credibility above `1 - 1/trust`.
    """
    trust = max(trust, 1)
    return best_group * trust > (1 + sum(all_groups)) * (trust - 1)


def needs_more_contributions(
    trust: int, contributions: Iterable[tuple[bytes, int]], pending: Iterable[int]
) -> bool:
    """Return whether one more worker is needed.

    The forecast assumes that all pending workers join the strongest group.

    Args:
        trust: the trust of the deal (0 counts as 1).
        contributions: `(result hash, weight)` of every contribution on chain.
        pending: weights of live replicates that have not contributed yet; failed, aborted and lost replicates are
            not pending.
    """
    groups: dict[bytes, int] = {}
    for result_hash, weight in contributions:
        groups[result_hash] = max(groups.get(result_hash, 0), 1) * weight
    best = others = 0
    if groups:
        best = max(groups.values())
        others = sum(groups.values()) - best
    forecast = best
    for weight in pending:
        forecast = max(forecast, 1) * weight
    return not consensus_reached(forecast, (others, forecast), trust)


def contributions_needed(trust: int, weight: int = MIN_WEIGHT) -> int:
    """Return how many agreeing workers of one weight reach consensus on a task without contributions."""
    count = 0
    while needs_more_contributions(trust, (), [weight] * count):
        count += 1
    return count
