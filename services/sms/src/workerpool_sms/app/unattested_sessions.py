"""A session backend inside the SMS, for tests, which releases a session once to the holder of its id."""

from workerpool_kit.clock import Clock
from workerpool_kit.dependencies.disk_floor import BelowFloor, DiskFloor
from workerpool_kit.logs import get_logger

from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import SessionStore, Vault
from workerpool_sms.app.storage_full import storage_full
from workerpool_sms.domain.limits import ROW_BYTES
from workerpool_sms.domain.session.session import Session
from workerpool_sms.errors import SessionNotFound

log = get_logger()


class UnattestedSessions:
    """The `SessionBackend` port without verification; sessions are encrypted at rest and expire with their task."""

    attested = False

    def __init__(
        self,
        store: SessionStore,
        vault: Vault,
        gate: Gate,
        clock: Clock,
        disk: DiskFloor,
        *,
        base_url: str,
    ) -> None:
        """Create the backend; `disk` is that of the store, `base_url` the public URL of this SMS."""
        self._store = store
        self._vault = vault
        self._gate = gate
        self._clock = clock
        self._disk = disk
        self._base_url = base_url

    async def create(self, session: Session, *, expires_at: int) -> str:
        """Store a session; see `SessionBackend`. Raises StorageFull, because a worker may request many sessions."""
        sealed = self._vault.seal(session.encode(), _purpose(session.session_id))
        try:
            async with self._disk.reserved(len(sealed.content) + ROW_BYTES):
                await self._store.put(session.session_id, sealed, expires_at)
        except BelowFloor as full:
            raise storage_full(full) from full
        return f"{self._base_url}/tee/sessions/{session.session_id}"

    async def claim(self, session_id: str) -> bytes:
        """Return the JSON text of a session, and remove it. Raises SessionNotFound."""
        with self._gate.use():
            sealed = await self._store.take(session_id, self._clock.now())
        if sealed is None:
            raise SessionNotFound(
                "there is no such session: it was already read, or has expired; request a new session"
            )
        log.info("audit.session_read_unattested", session=session_id, unattested=True)
        return self._vault.open(sealed, _purpose(session_id))

    async def purge(self) -> int:
        """Remove expired sessions; return their number."""
        with self._gate.use():
            return await self._store.purge(self._clock.now())


def _purpose(session_id: str) -> str:
    return f"session:{session_id}"
