"""Mined transactions that a reorganisation of the chain took back, and that the node does not bring back by itself."""

from workerpool_kit.logs import get_logger

from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.store import Journal

log = get_logger()


async def revive(journal: Journal, in_flight: InFlight, first: int, before: int | None = None) -> None:
    """Put transactions that had ended in flight again: those with nonces from `first` on, and below `before`.

    Call it when the wallet's next nonce on chain is `first`: everything above waits until that nonce is used. The
    same bytes are sent again, which does no harm when the node only lagged behind.
    """
    vanished = [each.revived() for each in await journal.ended_transactions(first, before)]
    if vanished:
        log.warning("transactions.vanished", nonces=[each.nonce for each in vanished])
        await journal.save_transactions(vanished)
        in_flight.put(vanished)
