"""The ports of the use cases, implemented by `adapters`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import App, ChainTask, Dataset, Deal
from workerpool_poco.protocol.orders import DatasetOrder

from workerpool_sms.domain.challenges import EnclaveChallenge
from workerpool_sms.domain.limits import Limit, OwnerPosition, StoredByWallet
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.domain.secrets import SecretKind, SecretName
from workerpool_sms.domain.session.session import Session


class ChainView(Protocol):
    """Reads of the hub contract; a task or deal that is not on chain reads as zeros.

    Every method raises `ChainUnreachable` when the node does not answer.
    """

    async def owner(self, contract: Address) -> Address | None:
        """Return the contract's `owner()`; None without such a contract or method."""

    async def deposit(self, wallet: Address) -> int:
        """Return what a wallet has in the hub (`viewAccount`), free and locked, in nRLC."""

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`."""

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`."""

    async def app(self, app: Address) -> App:
        """Return `viewApp`."""

    async def dataset(self, dataset: Address) -> Dataset:
        """Return `viewDataset`."""

    async def fits_deal(self, order: DatasetOrder, deal_id: DealId) -> bool:
        """Return whether the contract accepts a dataset order for a deal."""


class Vault(Protocol):
    """The encryption of stored values; a value can only be opened for the purpose with which it was sealed."""

    @property
    def current_key_id(self) -> str:
        """The id of the key that seals new values."""

    def seal(self, plain: bytes, purpose: str) -> Sealed:
        """Encrypt a value with a new data key."""

    def open(self, sealed: Sealed, purpose: str) -> bytes:
        """Decrypt a value. Raises `KeyMissing` or `SealBroken`."""

    def rewrap(self, sealed: Sealed, purpose: str) -> Sealed:
        """Encrypt the data key of a value with the current key. Raises like `open`."""

    def derived_secrets(self, purpose: str) -> Sequence[bytes]:
        """Return 32 bytes for `purpose` derived from each key, the current key first."""


class SecretStore(Protocol):
    """The durable store of secrets.

    Every method raises `DatabaseUnavailable` during an outage.
    """

    async def exists(self, name: SecretName) -> bool:
        """Return whether a secret is stored."""

    async def find(self, name: SecretName) -> Sealed | None:
        """Return a stored secret."""

    async def add(self, name: SecretName, value: Sealed, owner: Address) -> bool:
        """Store a secret of a wallet; return False when it exists."""

    async def owned(
        self, owner: Address, most: int, kinds: Collection[SecretKind] = frozenset(SecretKind)
    ) -> int:
        """Return the number of secrets of some kinds that a wallet stored, counted up to `most`."""

    async def total(self) -> int:
        """Return the number of all secrets, without a scan."""

    async def replace(self, name: SecretName, value: Sealed) -> bool:
        """Replace a secret; return False when it does not exist."""

    async def counts(self) -> Mapping[SecretKind, int]:
        """Return the number of secrets of each kind."""

    async def owners(self, after: OwnerPosition | None, limit: int) -> Sequence[StoredByWallet]:
        """Return up to `limit` wallets with secrets after a position, those with the most secrets first.

        It scans all secrets.
        """

    async def remove(self, owner: Address, kinds: Collection[SecretKind]) -> int:
        """Remove the secrets of some kinds that a wallet stored; return their number."""


class ChallengeStore(Protocol):
    """The durable store of tasks' challenges, with the errors of `SecretStore`."""

    async def find(self, task_id: TaskId) -> EnclaveChallenge | None:
        """Return the challenge of a task."""

    async def add(self, challenge: EnclaveChallenge) -> EnclaveChallenge:
        """Store the first challenge of a task; return the stored one."""

    async def purge(self, *, now: float, without_deadline_before: float, limit: int) -> int:
        """Remove up to `limit` expired challenges, and return their number (times in Unix seconds).

        A challenge expires when its final deadline has passed at `now`; without one, when it is older than
        `without_deadline_before`.
        """

    async def count(self) -> int:
        """Return the number of challenges."""


class SessionStore(Protocol):
    """The durable store of sessions until their only read, with the errors of `SecretStore`."""

    async def put(self, session_id: str, content: Sealed, expires_at: int) -> None:
        """Store a session until `expires_at` (Unix seconds)."""

    async def take(self, session_id: str, now: float) -> Sealed | None:
        """Remove and return a session; None when there is none, or it expired before `now`."""

    async def purge(self, now: float) -> int:
        """Remove expired sessions; return their number."""


class SealedRows(Protocol):
    """Every encrypted value of the database, for the rotation of keys."""

    async def key_ids(self) -> Mapping[str, int]:
        """Return the number of rows that each key encrypts."""

    async def not_sealed_with(self, key_id: str, limit: int) -> Sequence[tuple[str, str, Sealed]]:
        """Return up to `limit` rows encrypted with another key: row, purpose, value."""

    async def exchange(self, row: str, old: Sealed, new: Sealed) -> bool:
        """Replace the value of a row if it is still `old`; return whether it was replaced."""


class SessionBackend(Protocol):
    """The service of a TEE framework that gives a session to a verified enclave."""

    @property
    def attested(self) -> bool:
        """Whether the backend verifies the enclave before it releases the session."""

    async def create(self, session: Session, *, expires_at: int) -> str:
        """Store a session, and return the URL from which the enclave fetches it; empty when it was not stored."""


class BulkSource(Protocol):
    """Lists of datasets on IPFS."""

    async def read(self, cid: str) -> str:
        """Return the text of an object; empty when it cannot be read."""


class Metrics(Protocol):
    """Counts for the operator, with the names of the old stack."""

    def stored(self, table: str, rows: int) -> None:
        """Record the current number of rows of a table."""

    def added(self, table: str) -> None:
        """Count a new row of a table."""

    def cached(self, table: str, rows: int) -> None:
        """Record the current number of cached answers about a table."""

    def refused(self, limit: Limit) -> None:
        """Count a secret refused because of a limit."""


class Dump(Protocol):
    """The content of the database as a file, with encrypted values."""

    async def write(self, path: Path) -> int:
        """Write every row to a new file, readable by its owner only; return the number of rows.

        Raises `BackupFailed`.
        """

    async def check(self, path: Path) -> Sequence[str]:
        """Return the ids of the keys that a file needs. Raises `BackupBroken` unless the file is complete."""

    async def load(self, path: Path) -> int:
        """Replace the content of the database by that of a file; return the number of rows."""


class KeyFiles(Protocol):
    """The key file of the SMS, a copy of which belongs to each backup."""

    def key_ids(self) -> Sequence[str]:
        """Return the ids of the keys."""

    def save_to(self, path: Path) -> None:
        """Copy the key file, readable by its owner only. Raises OSError."""

    def ids_in(self, path: Path) -> Sequence[str]:
        """Return the ids of the keys of a copy; none for a missing one. Raises `BackupBroken`."""

    def merge(self, path: Path) -> Sequence[str]:
        """Add the keys of a copy that the key file lacks; return their ids. Raises `BackupBroken`."""


class BackupFiles(Protocol):
    """The files of backups inside the admin storage; every method blocks, so call it in a thread.

    A storage is the hexadecimal path of a folder, empty for the admin storage itself. Raises `InvalidStorage`,
    `InvalidBackupName`, `BackupNotFound` or `BackupFailed`.
    """

    def newest(self) -> Path:
        """Return the path of the newest backup."""

    def existing(self, storage: str, name: str) -> tuple[Path, Path]:
        """Return the path of a backup and of its keys, which may be missing."""

    def save_keys(self, backup: Path, save_to: Callable[[Path], None]) -> None:
        """Save the keys of a backup beside it, with `save_to`, which receives their path."""

    def copy(self, source: str, source_name: str, target: str, target_name: str) -> Path:
        """Copy a backup and its keys; return the path of the copy."""

    def delete(self, storage: str, name: str) -> Path:
        """Delete a backup and its keys; return its path."""
