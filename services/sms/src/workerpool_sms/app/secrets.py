"""The storage of secrets, lookups of their existence, and reads for a session."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from workerpool_kit.dependencies.disk_floor import BelowFloor, DiskFloor
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import Address, address

from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import ChainView, Metrics, SecretStore, Vault
from workerpool_sms.app.storage_full import storage_full
from workerpool_sms.domain.limits import ROW_BYTES, Limit, SecretLimits
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.domain.secrets import (
    OWNED_BY_WALLET,
    SecretKind,
    SecretName,
    signed_hash,
    signer_of,
    stored_value,
)
from workerpool_sms.errors import (
    DepositNeeded,
    NotSignedByOwner,
    SecretExists,
    SecretNotFound,
    SmsFull,
    TooManySecrets,
)

log = get_logger()

TABLES = {
    SecretKind.WEB2: "web2",
    SecretKind.WEB3: "web3",
    SecretKind.APP_DEVELOPER: "compute",
    SecretKind.REQUESTER: "compute",
}
"""The table of the old stack's metrics for each kind."""


class ExistenceCache:
    """A cache of existing names, each for a minute.

    Only positive answers are cached, because a secret is often used directly after it was pushed, perhaps through
    another process.
    """

    def __init__(
        self, *, lifetime_s: float = 60.0, most: int = 10_000, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._lifetime_s = lifetime_s
        self._most = most
        self._now = now
        self._until: OrderedDict[SecretName, float] = OrderedDict()

    def has(self, name: SecretName) -> bool:
        """Return whether the secret was found within the lifetime."""
        return self._until.get(name, 0.0) > self._now()

    def add(self, name: SecretName) -> None:
        """Cache that a secret exists."""
        self._until[name] = self._now() + self._lifetime_s
        self._until.move_to_end(name)
        while len(self._until) > self._most:
            self._until.popitem(last=False)

    def clear(self) -> None:
        """Drop all entries, after the database was replaced."""
        self._until.clear()

    def counts(self) -> dict[str, int]:
        """Return the number of valid entries of each table of the metrics."""
        now = self._now()
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        found = dict.fromkeys(TABLES.values(), 0)
        for name in self._until:
            found[TABLES[name.kind]] += 1
        return found


class Secrets:
    """The four kinds of secrets; the owner of a secret signs each write, and only sessions read values."""

    def __init__(
        self,
        store: SecretStore,
        vault: Vault,
        chain: ChainView,
        gate: Gate,
        metrics: Metrics,
        cache: ExistenceCache,
        disk: DiskFloor,
        *,
        limits: SecretLimits,
    ) -> None:
        """Create the use cases; `disk` is that of the store."""
        self._store = store
        self._vault = vault
        self._chain = chain
        self._gate = gate
        self._metrics = metrics
        self._cache = cache
        self._disk = disk
        self._limits = limits
        # One check of the limits at a time, so that concurrent requests count each other.
        self._adding = asyncio.Lock()

    async def exists(self, name: SecretName) -> bool:
        """Return whether a secret is stored."""
        with self._gate.use():
            if self._cache.has(name):
                return True
            found = await self._store.exists(name)
            if found:
                self._cache.add(name)
            return found

    async def require(self, name: SecretName) -> None:
        """Raise SecretNotFound unless the secret is stored."""
        if not await self.exists(name):
            raise SecretNotFound(f"there is no secret {name} here; its owner must push it")

    async def set(self, name: SecretName, value: str, signature: bytes, *, replace: bool = False) -> None:
        """Store a secret signed by its owner; with `replace`, replace an existing one of a replaceable kind.

        Raises SecretTooLarge, SecretEmpty, NotSignedByOwner, SecretExists, DepositNeeded, TooManySecrets, SmsFull,
        SecretNotFound or StorageFull, checked in this order; ChainUnreachable when the chain must be read.
        """
        with self._gate.use():
            content = stored_value(value)
            owner = await self._check_owner(name, value, signature)
            if replace and name.is_replaceable:
                written = await self._replace(name, content, owner)
            else:
                written = await self._add(name, content, owner)
            self._cache.add(name)
        if written:
            # Do not log the value: the audit log has owner and name only.
            log.info(
                "audit.secret_stored", kind=name.kind, owner=name.address, key=name.key, replaced=replace
            )

    async def read(self, name: SecretName) -> str | None:
        """Return the value of a secret for a session; None when it is not stored."""
        sealed = await self._store.find(name)
        return None if sealed is None else self._vault.open(sealed, name.id).decode()

    async def _check_owner(self, name: SecretName, value: str, signature: bytes) -> Address:
        signer = signer_of(signed_hash(name, value), signature)
        owner = await self._owner(name)
        if owner is None:
            raise NotSignedByOwner(
                f"{name.address} is not a contract with an owner on this chain; check the address and the chain"
            )
        if signer != owner:
            raise NotSignedByOwner(
                f"the secret {name} is not signed by {owner}; sign with the owner's wallet"
            )
        return owner

    async def _owner(self, name: SecretName) -> Address | None:
        if name.is_owned_by_contract:
            return await self._chain.owner(address(name.address))
        return address(name.address)

    async def _add(self, name: SecretName, content: str, owner: Address) -> bool:
        # Check first, because most repeated writes need no encryption.
        if await self._store.exists(name) or not await self._insert(name, content, owner):
            advice = "replace it instead" if name.is_replaceable else "this kind of secret is written once"
            raise SecretExists(f"the secret {name} exists already; {advice}")
        self._metrics.added(TABLES[name.kind])
        return True

    async def _insert(self, name: SecretName, content: str, owner: Address) -> bool:
        """Store a new secret within the limits; return False when it exists."""
        # A read of the chain takes long, and secrets that are stored meanwhile reach only a little into the reserve.
        await self._check_reserve(name, owner)
        async with self._adding:
            await self._check_limits(owner)
            async with self._reserved(owner):
                return await self._store.add(name, self._seal(name, content), owner)

    async def _check_reserve(self, name: SecretName, owner: Address) -> None:
        """Raise DepositNeeded or TooManySecrets when only the reserve is left, and a wallet may not use it."""
        limits, most = self._limits, self._limits.per_wallet_in_reserve
        stored = await self._store.total()
        if name.is_owned_by_contract or not limits.unreserved <= stored < limits.total:
            return
        if await self._chain.deposit(owner) == 0:
            self._count_refusal(Limit.DEPOSIT, owner)
            raise DepositNeeded(
                f"this SMS stores {stored} secrets and takes further ones only from wallets with a deposit on their "
                f"iExec account; {owner} has none: deposit any amount of RLC, then store the secret again",
                details={"wallet": owner},
            )
        if await self._store.owned(owner, most, OWNED_BY_WALLET) >= most:
            self._count_refusal(Limit.DEPOSIT, owner)
            raise TooManySecrets(
                f"wallet {owner} has stored {most} secrets here, as many as a wallet may while this SMS is more than "
                "half full; use another wallet or ask the operator of this SMS to raise WORKERPOOL_SMS_MAX_SECRETS",
                details={"wallet": owner, "most": most},
            )

    async def _check_limits(self, owner: Address) -> None:
        """Raise TooManySecrets or SmsFull unless a wallet may store another secret."""
        most = self._limits.per_wallet
        if await self._store.owned(owner, most) >= most:
            self._count_refusal(Limit.WALLET, owner)
            raise TooManySecrets(
                f"wallet {owner} has stored {most} secrets here, the limit of a wallet; use another wallet or ask the "
                "operator of this SMS to raise WORKERPOOL_SMS_MAX_SECRETS_PER_WALLET",
                details={"wallet": owner, "most": most},
            )
        if await self._store.total() >= self._limits.total:
            self._count_refusal(Limit.TOTAL, owner)
            raise SmsFull(
                f"this SMS stores {self._limits.total} secrets, its limit; use another SMS or ask the operator of this "
                "one to raise WORKERPOOL_SMS_MAX_SECRETS",
                details={"most": self._limits.total},
            )

    @asynccontextmanager
    async def _reserved(self, owner: Address) -> AsyncIterator[None]:
        """Reserve disk space for one row. Raises StorageFull."""
        try:
            async with self._disk.reserved(ROW_BYTES):
                yield
        except BelowFloor as full:
            self._count_refusal(Limit.DISK, owner)
            raise storage_full(full) from full

    def _count_refusal(self, limit: Limit, owner: Address) -> None:
        self._metrics.refused(limit)
        log.warning("secrets.limit_reached", limit=limit, wallet=owner)

    async def _replace(self, name: SecretName, content: str, owner: Address) -> bool:
        stored = await self._store.find(name)
        if stored is not None and self._vault.open(stored, name.id) == content.encode():
            return False
        missing = SecretNotFound(f"there is no secret {name} to replace; store it first")
        if stored is None:
            raise missing
        async with self._reserved(owner):
            if not await self._store.replace(name, self._seal(name, content)):
                raise missing
        return True

    def _seal(self, name: SecretName, content: str) -> Sealed:
        return self._vault.seal(content.encode(), name.id)
