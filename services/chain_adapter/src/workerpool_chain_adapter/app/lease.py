"""One adapter per wallet and journal: two of them would use the same nonces."""

import asyncio
import os
import socket
import uuid
from pathlib import Path
from typing import Any

from workerpool_kit.logs import get_logger
from workerpool_kit.mongo import Database
from workerpool_kit.process import StartupError
from workerpool_poco.protocol.ids import Address

from workerpool_chain_adapter.adapters.mongo_lease import WalletLease

log = get_logger()

LEASE_S = 10.0
"""How long the wallet stays taken after its holder was last heard of."""
RENEW_EVERY_S = 3.0
"""Three renewals may be missed before the lease is lost."""
_LOOK_EVERY_S = 0.5


class LeaseLost(Exception):
    """Another adapter has taken the wallet over; this one must stop at once."""


class Lease:
    """Holds the wallet for this process."""

    def __init__(self, database: Database, wallet: Address) -> None:
        self._wallet = wallet
        self._store = WalletLease(database, wallet, uuid.uuid4().hex, here(), LEASE_S)

    async def acquire(self) -> None:
        """Take the lease, waiting for that of a dead process to expire.

        Raises StartupError when another adapter is alive: at once when that can be seen from here (same host),
        else after it has renewed its lease.
        """
        give_up_at = asyncio.get_running_loop().time() + LEASE_S + 2 * RENEW_EVERY_S
        holder = await self._store.take()
        while holder is not None:
            alive = is_alive(holder)
            if alive is False:
                log.warning("lease.taken_over", wallet=self._wallet, dead=holder)
                holder = await self._store.take(although_held_by=holder["holder"])
                continue
            if alive or asyncio.get_running_loop().time() > give_up_at:
                raise StartupError(
                    f"another chain adapter (process {holder.get('pid')} on {holder.get('host')}) uses the wallet "
                    f"{self._wallet} with this database; stop it first, one wallet has one adapter"
                )
            await asyncio.sleep(_LOOK_EVERY_S)
            holder = await self._store.take()

    async def keep(self) -> None:
        """Renew for ever; raises LeaseLost when somebody else has it."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            if (holder := await self._store.take()) is not None:
                raise LeaseLost(
                    f"process {holder.get('pid')} on {holder.get('host')} has the wallet {self._wallet}"
                )

    async def release(self) -> None:
        """Give the lease back, so that the next start need not wait."""
        await self._store.release()


def here() -> dict[str, Any]:
    """Describe this process so that a later one on the same host can tell whether it still runs."""
    pid = os.getpid()
    return {"host": socket.gethostname(), "kernel": _kernel(), "pid": pid, "started": _start_time(pid)}


def is_alive(place: dict[str, Any]) -> bool | None:
    """Tell whether a described process still runs; None when that cannot be seen from here."""
    if (
        place.get("host") != socket.gethostname()
        or place.get("kernel") != _kernel()
        or not place.get("started")
    ):
        return None
    return bool(_start_time(int(place["pid"])) == place["started"])


def _kernel() -> str:
    """Name the boot and the namespace in which process ids mean something; empty where that is unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """Return when a process started (in the kernel's ticks), empty when there is none of this id."""
    try:
        # Field 22 of /proc/<pid>/stat; the second field, the name, may hold spaces and ends with a bracket.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
