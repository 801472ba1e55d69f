"""Which nonce comes next. The node's view and the journal's are put together; neither alone is enough."""

from collections.abc import Collection


def next_nonce(mined: int, pending: int, journaled: Collection[int]) -> int:
    """Return the lowest nonce that neither the node nor the journal uses.

    Args:
        mined: the node's transaction count at the latest block.
        pending: its transaction count with the transactions it holds for the next blocks.
        journaled: nonces of transactions the journal still waits for.

    A gap below journaled nonces is found and filled first: everything above it is stuck until then.
    """
    nonce = max(mined, pending)
    while nonce in journaled:
        nonce += 1
    return nonce
