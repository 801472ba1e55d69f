"""The stores in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from workerpool_poco.protocol.ids import Address, TaskId, address
from workerpool_sms.domain.challenges import EnclaveChallenge, key_purpose
from workerpool_sms.domain.limits import Limit, OwnerPosition, StoredByWallet
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.domain.secrets import SecretKind, SecretName


class MemorySecrets:
    """The `SecretStore` port over a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[SecretName, Sealed] = {}
        self.stored_by: dict[SecretName, str] = {}
        self.reads = 0

    async def exists(self, name: SecretName) -> bool:
        """Return whether a secret is stored; see `SecretStore`."""
        self.reads += 1
        return name in self.rows

    async def find(self, name: SecretName) -> Sealed | None:
        """Return a secret; see `SecretStore`."""
        self.reads += 1
        return self.rows.get(name)

    async def add(self, name: SecretName, value: Sealed, owner: Address) -> bool:
        """Store a new secret; see `SecretStore`."""
        self.stored_by.setdefault(name, owner)
        return self.rows.setdefault(name, value) is value

    async def owned(
        self, owner: Address, most: int, kinds: Collection[SecretKind] = frozenset(SecretKind)
    ) -> int:
        """Return the number of a wallet's secrets; see `SecretStore`."""
        return min(sum(name.kind in kinds and of == owner for name, of in self.stored_by.items()), most)

    async def total(self) -> int:
        """Return the number of all secrets; see `SecretStore`."""
        return len(self.rows)

    async def replace(self, name: SecretName, value: Sealed) -> bool:
        """Replace a secret; see `SecretStore`."""
        if name not in self.rows:
            return False
        self.rows[name] = value
        return True

    async def counts(self) -> Mapping[SecretKind, int]:
        """Return the number of secrets of each kind; see `SecretStore`."""
        found = Counter(name.kind for name in self.rows)
        return {kind: found[kind] for kind in SecretKind}

    async def owners(self, after: OwnerPosition | None, limit: int) -> Sequence[StoredByWallet]:
        """Return wallets with secrets; see `SecretStore`."""
        found: dict[str, Counter[SecretKind]] = {}
        sizes = Counter[str]()
        for name, owner in self.stored_by.items():
            found.setdefault(owner.lower(), Counter())[name.kind] += 1
            sizes[owner.lower()] += len(self.rows[name].content)
        wallets = [StoredByWallet(address(owner), kinds, sizes[owner]) for owner, kinds in found.items()]
        wallets.sort(key=lambda each: (-each.secrets, each.wallet.lower()))
        return [each for each in wallets if after is None or _is_after(each, after)][:limit]

    async def remove(self, owner: Address, kinds: Collection[SecretKind]) -> int:
        """Remove a wallet's secrets; see `SecretStore`."""
        gone = [
            name for name, of in self.stored_by.items() if of.lower() == owner.lower() and name.kind in kinds
        ]
        for name in gone:
            del self.rows[name], self.stored_by[name]
        return len(gone)


def _is_after(wallet: StoredByWallet, position: OwnerPosition) -> bool:
    key = (-wallet.secrets, wallet.wallet.lower())
    return key > (-position.secrets, position.wallet.lower())


class MemoryChallenges:
    """The `ChallengeStore` port over a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[TaskId, EnclaveChallenge] = {}

    async def find(self, task_id: TaskId) -> EnclaveChallenge | None:
        """Return a challenge; see `ChallengeStore`."""
        return self.rows.get(task_id)

    async def add(self, challenge: EnclaveChallenge) -> EnclaveChallenge:
        """Store the first challenge of a task; see `ChallengeStore`."""
        return self.rows.setdefault(challenge.task_id, challenge)

    async def purge(self, *, now: float, without_deadline_before: float, limit: int) -> int:
        """Remove expired challenges; see `ChallengeStore`."""
        expired = [
            task_id
            for task_id, row in self.rows.items()
            if (
                row.created_at <= without_deadline_before
                if row.final_deadline is None
                else row.final_deadline <= now
            )
        ][:limit]
        for task_id in expired:
            del self.rows[task_id]
        return len(expired)

    async def count(self) -> int:
        """Return the number of challenges; see `ChallengeStore`."""
        return len(self.rows)


class MemorySessions:
    """The `SessionStore` port over a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Sealed, int]] = {}

    async def put(self, session_id: str, content: Sealed, expires_at: int) -> None:
        """Store a session; see `SessionStore`."""
        self.rows[session_id] = (content, expires_at)

    async def take(self, session_id: str, now: float) -> Sealed | None:
        """Remove a session and return it; see `SessionStore`."""
        content, expires_at = self.rows.pop(session_id, (None, 0))
        return content if expires_at > now else None

    async def purge(self, now: float) -> int:
        """Remove expired sessions; see `SessionStore`."""
        expired = [name for name, (_, expires_at) in self.rows.items() if expires_at <= now]
        for name in expired:
            del self.rows[name]
        return len(expired)


class MemoryRows:
    """The `SealedRows` port over the stores above."""

    def __init__(self, secrets: MemorySecrets, challenges: MemoryChallenges) -> None:
        self.secrets = secrets
        self.challenges = challenges

    async def key_ids(self) -> Mapping[str, int]:
        """Return how many rows each key encrypts; see `SealedRows`."""
        keys = [value.key_id for value in self.secrets.rows.values()]
        return Counter([*keys, *(row.private_key.key_id for row in self.challenges.rows.values())])

    async def not_sealed_with(self, key_id: str, limit: int) -> Sequence[tuple[str, str, Sealed]]:
        """Return rows of another key; see `SealedRows`."""
        rows = [(f"secrets/{name.id}", name.id, value) for name, value in self.secrets.rows.items()]
        rows += [
            (f"challenges/{task_id}", key_purpose(task_id), row.private_key)
            for task_id, row in self.challenges.rows.items()
        ]
        return [row for row in rows if row[2].key_id != key_id][:limit]

    async def exchange(self, row: str, old: Sealed, new: Sealed) -> bool:
        """Replace a value; see `SealedRows`."""
        kind, _, identity = row.partition("/")
        if kind == "challenges":
            stored = self.challenges.rows[TaskId(identity)]
            self.challenges.rows[TaskId(identity)] = replace(stored, private_key=new)
            return True
        name = next(name for name in self.secrets.rows if name.id == identity)
        if self.secrets.rows[name] != old:
            return False
        self.secrets.rows[name] = new
        return True


class CountedMetrics:
    """The `Metrics` port that a test reads."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.new = Counter[str]()
        self.in_cache: dict[str, int] = {}
        self.over_limit: list[Limit] = []

    def stored(self, table: str, rows: int) -> None:
        """Record rows; see `Metrics`."""
        self.rows[table] = rows

    def added(self, table: str) -> None:
        """Count a row; see `Metrics`."""
        self.new[table] += 1

    def cached(self, table: str, rows: int) -> None:
        """Record cached answers; see `Metrics`."""
        self.in_cache[table] = rows

    def refused(self, limit: Limit) -> None:
        """Count a refusal; see `Metrics`."""
        self.over_limit.append(limit)


class MemoryBulk:
    """The `BulkSource` port over a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    async def read(self, cid: str) -> str:
        """Return an object; see `BulkSource`."""
        return self.objects.get(cid, "")
