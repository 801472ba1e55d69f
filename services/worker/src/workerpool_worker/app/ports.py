"""Ports of the worker's use cases: what `app` needs from the chain, the engine, the disk and other services."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.model import Account, ChainTask, Contribution
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.domain.record import ReplicateRecord, Result, SentTransaction
from workerpool_worker.domain.updates import Receipt, Update

SaveTransaction = Callable[[SentTransaction], Awaitable[None]]
"""Journals a signed transaction. The transaction is sent after the call has returned."""


class Chain(Protocol):
    """The blockchain as seen by the worker's wallet.

    Every method raises `ChainUnavailable` if the node does not answer.
    """

    @property
    def head(self) -> int:
        """Number of the latest known block; 0 before the first."""

    async def wait_block(self, number: int, limit_s: float) -> bool:
        """Wait until the node has a block. Return False after `limit_s` seconds."""

    async def task(self, task_id: TaskId) -> ChainTask:
        """Read a task."""

    async def account(self) -> Account:
        """Read the worker's account in the hub."""

    async def contribution(self, task_id: TaskId) -> Contribution:
        """Read the worker's own contribution."""

    async def is_pool_owner(self, signer: Address) -> bool:
        """Tell whether an address owns the workerpool."""

    async def can_pay(self, gas: int) -> bool:
        """Tell whether the wallet can pay an amount of gas at the current price."""

    async def contribute(
        self, authorization: WorkerpoolAuthorization, result_hash: bytes, seal: bytes, save: SaveTransaction
    ) -> Receipt:
        """Send `contribute` and return its receipt.

        Raises `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """

    async def reveal(self, task_id: TaskId, digest: bytes, save: SaveTransaction) -> Receipt:
        """Send `reveal` and return its receipt.

        Raises `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """

    async def resume(self, sent: SentTransaction, save: SaveTransaction) -> Receipt | None:
        """Resend a journaled transaction and return its receipt; None if another transaction used its nonce.

        A replacement is saved before it is sent. Raises `TransactionRefused` or `TransactionUnconfirmed`.
        """


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """The container of an app. `binds` maps host folders to (path inside, read-only)."""

    task_id: TaskId
    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    binds: Mapping[Path, tuple[str, bool]]
    limits: SlotLimits


@dataclass(frozen=True, slots=True)
class AppExit:
    """The end of an app: exit code (-1 if it never ran), run time in seconds, whether its time limit killed it."""

    exit_code: int
    run_time_s: float
    timed_out: bool = False
    error: str = ""
    """The engine's message if the app could not start."""


class OutputSink(Protocol):
    """Receives the output of an app. Its methods are thread-safe and do not block."""

    def add(self, stream: OutputStream, data: bytes) -> None:
        """Append output."""

    def mark_gap(self) -> None:
        """Record that output may be missing before the next call of `add`."""


class Engine(Protocol):
    """The container engine. Every method raises `DockerUnavailable` if the engine does not answer."""

    async def ensure_image(self, image: str, limit_s: float) -> None:
        """Pull an image within `limit_s` seconds unless it is on this host.

        Raises `ImageUnavailable` or `HostStorageUnavailable`.
        """

    async def find(self, task_id: TaskId) -> str | None:
        """Return the id of this worker's container for a task, running or not; None if there is none."""

    async def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id. A container of this worker with the same name is removed first.

        Raises `AppCannotStart`, or `ImageUnavailable` if the image is not on this host.
        """

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        """Start a container unless it runs, wait for its end, and kill it `limit_s` seconds after its start.

        `new` says that it was just created. Raises `AppCannotStart`.
        """

    async def follow_output(self, container: str, sink: OutputSink, *, from_now: bool) -> None:
        """Pass a container's output to `sink` until cancelled, from its start or only `from_now`.

        Memory is bounded and the app is never blocked: if output arrives faster than it can be read, only the newest
        is passed on. Engine outages are retried.
        """

    async def copy_logs(self, container: str, stdout: Path, stderr: Path) -> None:
        """Write the two output streams to files, in bounded memory."""

    async def remove(self, task_id: TaskId) -> None:
        """Kill and remove every container of a task."""


class ResultStore(Protocol):
    """A result proxy."""

    async def upload(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, result_digest: str
    ) -> str:
        """Upload an archive and return the result link. Raises `UploadRefused` or `UploadUnavailable`."""


class Downloader(Protocol):
    """Downloads files over HTTP."""

    async def fetch(self, url: str, target: Path) -> str:
        """Save a file and return its SHA-256 as `0x…` text. An existing file is not downloaded again.

        Raises `DownloadFailed` or `HostStorageUnavailable`.
        """


class TaskFolder(Protocol):
    """The files of one task. Methods block and raise OSError; call them in a thread."""

    path: Path
    input: Path
    iexec_out: Path
    archive: Path
    stdout: Path
    stderr: Path

    def prepare_input(self) -> None:
        """Create the folder of the dataset and the input files."""

    def prepare_output(self) -> None:
        """Create an empty output folder; remove the output of an interrupted run."""

    def make_result(self, *, callback: bool, app_succeeded: bool) -> Result:
        """Build the archive and the digest of an app's output. Defects of the output become the result's cause."""

    def make_error_result(self, status: ReplicateStatus, cause: ReplicateStatusCause) -> Result:
        """Build the result of a failure. It is equal on every worker that fails alike."""

    def read_output_tails(self) -> tuple[str, str]:
        """Return the last 100,000 characters of standard output and standard error."""


class Workspace(Protocol):
    """The worker's folder: one sub-folder per task. Methods block; call them in a thread."""

    def of(self, task_id: TaskId) -> TaskFolder:
        """Return the folder of a task. It need not exist."""

    def remove(self, task_id: TaskId) -> None:
        """Remove the folder of a task if it exists. Raises OSError."""

    def quarantine(self, task_id: TaskId) -> Path:
        """Rename a folder that cannot be removed and return its new path. Raises OSError."""


@dataclass(frozen=True, slots=True)
class JournalSnapshot:
    """Content of a journal at the time it was opened."""

    replicates: tuple[tuple[bytes, ReplicateRecord], ...]
    """Serialized assignment and record of each live replicate."""
    updates: tuple[Update, ...]
    """Unanswered updates, in order."""
    commands: frozenset[int]
    """Sequences of accepted commands."""
    ended: tuple[TaskId, ...]
    """Tasks whose replicate ended on this worker, oldest first."""
    last_sequence: int
    """Sequence of the latest update ever created."""


class Journal(Protocol):
    """The durable state of the worker.

    Methods return at once, and changes are written in the order of the calls. A change is durable when its future
    resolves. Nothing that depends on a change leaves the worker before that. After a failed write every future raises
    `JournalUnusable`.
    """

    def save_assignment(self, assignment: bytes, record: ReplicateRecord) -> asyncio.Future[None]:
        """Store a new replicate."""

    def save(self, record: ReplicateRecord, updates: Iterable[Update] = ()) -> asyncio.Future[None]:
        """Store a record and the updates that report its change."""

    def save_command(
        self,
        sequence: int,
        task_id: TaskId,
        record: ReplicateRecord | None = None,
        updates: Iterable[Update] = (),
    ) -> asyncio.Future[None]:
        """Store that a command was accepted, with the record and the updates that it changed."""

    def delete_updates(
        self, sequences: Iterable[int], unknown_tasks: Iterable[TaskId] = ()
    ) -> asyncio.Future[None]:
        """Delete answered updates, and everything about tasks that the scheduler does not know."""

    def delete_task(self, task_id: TaskId) -> asyncio.Future[None]:
        """Delete everything about a task."""

    def end(self, task_id: TaskId, updates: Iterable[Update]) -> asyncio.Future[None]:
        """Delete a replicate, store its final updates, and remember that it ended."""

    def delete_end(self, task_id: TaskId) -> asyncio.Future[None]:
        """Delete the memory that a replicate of a task ended."""


REMEMBERED_COMMANDS = 10_000
"""Command sequences that a journal remembers at least, so that a duplicate command has no effect."""


class StageTimings(Protocol):
    """Receives the durations of executions."""

    def record(self, app_s: float, post_compute_s: float) -> None:
        """Record one execution: run time of the app and duration of post-compute, in seconds."""
