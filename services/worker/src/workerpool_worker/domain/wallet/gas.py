"""Gas limits of the worker's transactions, and when a node's word that one would revert counts."""

ESTIMATES = 6
"""Estimates of one call at most, one per second or block."""
_COUNTING_REVERTS = 2


def gas_limit(estimate: int, least: int) -> int:
    """Return the gas limit for an estimate of a node.

    The estimate may be too low: the contribution that reaches consensus costs more than the one before it.
    """
    return max(least, estimate + estimate // 2)


class Reverts:
    """The reverts among the estimates of one call.

    One address may stand for several nodes, and one of them may not have the block yet in which the worker saw that
    the call is possible. So a revert counts only at a block that is not older, and only when it is repeated.
    The state of the chain, or a mined revert, has the last word.
    """

    def __init__(self, seen_at: int) -> None:
        """Create it with the newest block that was known when the call was seen to be possible."""
        self._newest = seen_at
        self._count = 0

    def add(self, block_number: int) -> bool:
        """Record that an estimate at a block reverted. Return whether the reverts count."""
        if block_number >= self._newest:
            self._newest = block_number
            self._count += 1
        return self._count >= _COUNTING_REVERTS
