"""Leases on files that are being written, so that any process may remove the files of a dead one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from workerpool_kit.clock import Clock
from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.logs import get_logger

from workerpool_result_proxy.app.ports import Archives, Store
from workerpool_result_proxy.domain.results import OrphanedFile

log = get_logger()

LEASE_S = 60.0
"""Seconds for which a lease is valid without a renewal."""
_RENEW_EVERY_S = LEASE_S / 4
_CHAIN_IS_LATE = timedelta(hours=1)
"""How far the time of the chain may be behind the clock of this host."""


class Leases:
    """The leases of this process, and the removal of files with expired leases and of expired results."""

    def __init__(self, store: Store, archives: Mapping[str, Archives]) -> None:
        """Create without leases; `archives` are the stores by name."""
        self._store = store
        self._archives = archives
        self._held: set[str] = set()

    @asynccontextmanager
    async def hold(self, file_id: str, storage: str) -> AsyncIterator[None]:
        """Lease a new file and renew it inside the context; afterwards the lease expires unless it was ended."""
        await self._store.announce(file_id, storage)
        self._held.add(file_id)
        try:
            yield
        finally:
            self._held.discard(file_id)

    async def discard(self, file_id: str, storage: str) -> None:
        """Remove a file whose lease this process holds, and the lease."""
        await self._archives[storage].delete(file_id)
        await self._store.retract(file_id)

    async def purge_orphans(self, dead: Collection[str] = ()) -> int:
        """Remove the files of expired leases and of `dead` processes; return their number."""
        return await self._remove(await self._store.claim_orphans(dead), "result.orphan_purged")

    async def purge_expired(self, stored_before: datetime) -> int:
        """Remove the results stored before a time; return their number."""
        count = 0
        while expired := await self._store.expire(stored_before):
            count += await self._remove(expired, "result.expired")
        return count

    async def renew(self) -> None:
        """Extend the leases of this process."""
        if self._held:
            await self._store.renew(tuple(self._held))

    async def _remove(self, files: list[OrphanedFile], event: str) -> int:
        count = 0
        for each in files:
            if each.storage not in self._archives:
                # The lease expires again, so that a process with that store removes the file.
                log.warning("result.store_not_found", file=each.file_id, storage=each.storage)
                continue
            await self.discard(each.file_id, each.storage)
            log.info(event, file=each.file_id, storage=each.storage)
            count += 1
        return count


async def keep_tidy(
    leases: Leases,
    store: Store,
    purge_partials: Callable[[], Awaitable[None]],
    clock: Clock,
    *,
    dead: Collection[str] = (),
    retention_s: float | None,
    every_s: float = _RENEW_EVERY_S,
) -> None:
    """Renew leases, and remove abandoned files and results older than `retention_s` seconds, until cancelled.

    The files of the `dead` processes are abandoned at once. An outage of a store postpones the rest of a round.
    """
    while True:
        await purge_partials()
        try:
            await leases.renew()
            await leases.purge_orphans(dead)
            dead = ()
            now = datetime.fromtimestamp(clock.now(), UTC)
            await store.forget_authorizations(now - _CHAIN_IS_LATE)
            if retention_s is not None:
                await leases.purge_expired(now - timedelta(seconds=retention_s))
        except WorkerpoolError as outage:
            log.warning("result.purge_postponed", reason=outage.reason, message=outage.message)
        await asyncio.sleep(every_s)
