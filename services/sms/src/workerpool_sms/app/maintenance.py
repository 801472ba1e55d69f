"""Background maintenance: expired rows, the rotation of keys, counts for the operator."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.logs import get_logger

from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import ChallengeStore, Metrics, SealedRows, SecretStore, Vault
from workerpool_sms.app.secrets import TABLES, ExistenceCache
from workerpool_sms.domain.sealed import Sealed

log = get_logger()

_BATCH = 200


async def repeat(action: Callable[[], Awaitable[object]], every_s: float, name: str) -> None:
    """Run `action` now and every `every_s` seconds until cancelled; log a failure and retry at the next time."""
    while True:
        try:
            await action()
        except WorkerpoolError as error:
            log.warning("maintenance.failed", action=name, reason=error.reason, problem=error.message)
        await asyncio.sleep(every_s)


class KeyRotation:
    """The rewrapping of every row's data key with the current key of the key file."""

    def __init__(self, rows: SealedRows, vault: Vault, gate: Gate, reload: Callable[[], bool]) -> None:
        """Create it; `reload` reads an edited key file and returns whether it changed."""
        self._rows = rows
        self._vault = vault
        self._gate = gate
        self._reload = reload
        self._done_for = ""

    async def run(self) -> int:
        """Rewrap the rows of other keys; return their number."""
        await asyncio.to_thread(self._reload)
        current = self._vault.current_key_id
        rewrapped = 0
        while rows := await self._next(current):
            for row, purpose, sealed in rows:
                with self._gate.use():
                    changed = await self._rows.exchange(row, sealed, self._vault.rewrap(sealed, purpose))
                rewrapped += changed
        if rewrapped or self._done_for != current:
            used = await self._rows.key_ids()
            log.info("keys.counted", current=current, rewrapped=rewrapped, rows_by_key=dict(used))
            self._done_for = current
        return rewrapped

    async def _next(self, current: str) -> Sequence[tuple[str, str, Sealed]]:
        with self._gate.use():
            return await self._rows.not_sealed_with(current, _BATCH)


class MetricsRefresh:
    """The refresh of the counts in the metrics."""

    def __init__(
        self, secrets: SecretStore, challenges: ChallengeStore, cache: ExistenceCache, metrics: Metrics
    ) -> None:
        self._secrets = secrets
        self._challenges = challenges
        self._cache = cache
        self._metrics = metrics

    async def refresh(self) -> None:
        """Count the rows of each table and the cached answers."""
        stored = dict.fromkeys(TABLES.values(), 0)
        for kind, rows in (await self._secrets.counts()).items():
            stored[TABLES[kind]] += rows
        # In the old stack each challenge has two rows: the challenge, and the key of its account.
        stored["tee_challenges"] = stored["ethereum_credentials"] = await self._challenges.count()
        for table, rows in stored.items():
            self._metrics.stored(table, rows)
        for table, rows in self._cache.counts().items():
            self._metrics.cached(table, rows)
