"""Exclusive use of the wallet, because two adapters on one wallet would use the same nonces."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import Address

from workerpool_chain_adapter.app.ports import ProcessTable, WalletLease
from workerpool_chain_adapter.errors import LeaseLost, WalletInUse

log = get_logger()

LEASE_S = 10.0
"""Seconds that the lease stays valid after its last renewal."""
RENEW_EVERY_S = 3.0
"""Seconds between renewals: the lease survives three missed ones."""
POLL_EVERY_S = 0.5
"""Seconds between attempts to take a lease that another process holds."""


class Lease:
    """The lease of this process on the wallet."""

    def __init__(
        self,
        lease: WalletLease,
        processes: ProcessTable,
        wallet: Address,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Create without the lease; tests control time with `monotonic` (seconds) and `sleep`."""
        self._monotonic = monotonic
        self._sleep = sleep
        self._lease = lease
        self._processes = processes
        self._wallet = wallet

    async def acquire(self) -> None:
        """Take the lease, waiting until that of a dead process expires.

        Raises WalletInUse when another adapter is alive: at once if it runs on this host, otherwise after it renewed
        its lease.
        """
        give_up_at = self._monotonic() + LEASE_S + 2 * RENEW_EVERY_S
        holder = await self._lease.take()
        while holder is not None:
            alive = self._processes.is_alive(holder)
            if alive is False:
                log.warning("lease.taken_over", wallet=self._wallet, dead=dict(holder))
                holder = await self._lease.take(replacing=holder["holder"])
                continue
            if alive or self._monotonic() > give_up_at:
                raise WalletInUse(
                    f"another chain adapter ({_place(holder)}) uses the wallet {self._wallet} with this database; "
                    "stop it first, because a wallet may have one adapter only"
                )
            await self._sleep(POLL_EVERY_S)
            holder = await self._lease.take()

    async def keep(self) -> None:
        """Renew the lease until cancelled. Raises LeaseLost when another process holds it."""
        while True:
            await self._sleep(RENEW_EVERY_S)
            if (holder := await self._lease.take()) is not None:
                raise LeaseLost(f"{_place(holder)} took over the wallet {self._wallet}; this adapter stops")

    async def release(self) -> None:
        """Release the lease, so that the next start does not wait. During an outage it expires instead."""
        try:
            await self._lease.release()
        except DatabaseUnavailable as outage:
            log.warning("lease.left_to_expire", wallet=self._wallet, lease_s=LEASE_S, problem=outage.message)


def _place(holder: Mapping[str, Any]) -> str:
    return f"process {holder.get('pid')} on {holder.get('host')}"
