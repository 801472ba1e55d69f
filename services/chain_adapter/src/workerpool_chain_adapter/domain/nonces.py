"""The next nonce, from the node's counts and the journal."""

from collections.abc import Collection


def next_nonce(mined: int, pending: int, journaled: Collection[int]) -> int:
    """Return the lowest nonce that neither the node nor the journal uses.

    A gap below journaled nonces blocks everything above it; the tracker finds it and the sender fills it.

    Args:
        mined: the node's transaction count at the latest block.
        pending: the node's transaction count including its transaction pool.
        journaled: nonces of the journal's transactions in flight.
    """
    nonce = max(mined, pending)
    while nonce in journaled:
        nonce += 1
    return nonce
