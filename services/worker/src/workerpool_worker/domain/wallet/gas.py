"""Gas limits of the worker's transactions, and when a predicted revert counts."""

ESTIMATES = 6
"""Limit of estimates of one call, one per second or block."""
_COUNTING_REVERTS = 2


def gas_limit(estimate: int, minimum: int) -> int:
    """Return the gas limit for an estimate of a node.

    The estimate may be too low: the contribution that reaches consensus costs more than the one before it.
    """
    return max(minimum, estimate + estimate // 2)


class Reverts:
    """The reverts among the estimates of one call.

    Several nodes may share one address, and one of them may lack the block in which the worker saw that
    the call is possible. So a revert counts only if it is repeated, and at a block that is not older.
    The state of the chain, or a mined revert, decides.
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
