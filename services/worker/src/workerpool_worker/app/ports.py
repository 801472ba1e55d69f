"""Ports of the worker's use cases: what `app` needs from the chain, the engine, the disk and other services."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.model import Account, ChainTask, Contribution
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, ArchiveRules
from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.domain.failures.app_exit import AppExit
from workerpool_worker.domain.failures.error_report import ErrorReport
from workerpool_worker.domain.fetching.limits import TaskQuota
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.domain.record import ReplicateRecord, Result
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Receipt, Update
from workerpool_worker.domain.wallet.transactions import TransactionKind


class Chain(Protocol):
    """The blockchain as seen by the worker's wallet.

    Every method raises `ChainUnavailable` if the node does not answer. A transaction is sent once: a repeated call
    awaits the earlier one, also after a restart. It stays in delivery when its caller ends.
    """

    @property
    def head(self) -> int:
        """Number of the latest known block; 0 before the first."""

    async def wait_block(self, number: int, limit_s: float) -> bool:
        """Wait until the node has a block. Return False after `limit_s` seconds."""

    async def task(self, task_id: TaskId) -> ChainTask:
        """Read a task."""

    async def with_account(self, task_id: TaskId) -> tuple[ChainTask, Account]:
        """Read a task and the worker's account in the hub."""

    async def with_contribution(self, task_id: TaskId) -> tuple[ChainTask, Contribution]:
        """Read a task and the worker's own contribution."""

    async def contribution(self, task_id: TaskId) -> Contribution:
        """Read the worker's own contribution."""

    async def is_pool_owner(self, signer: Address) -> bool:
        """Return whether an address owns the workerpool."""

    async def can_pay(self, gas: int) -> bool:
        """Return whether the wallet can pay an amount of gas at the current price."""

    async def contribute(
        self,
        authorization: WorkerpoolAuthorization,
        result_hash: bytes,
        seal: bytes,
        *,
        foresee: bool = True,
    ) -> Receipt:
        """Send `contribute` and return its receipt; with `foresee`, only if no revert is foreseen.

        Raises `RevertForeseen`, `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """

    async def reveal(self, task_id: TaskId, digest: bytes, *, foresee: bool = True) -> Receipt:
        """Send `reveal` and return its receipt; with `foresee`, only if no revert is foreseen.

        Raises `RevertForeseen`, `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """

    async def resume(self, kind: TransactionKind, task_id: TaskId) -> Receipt | None:
        """Return the receipt of a transaction that was sent earlier; None if none was, or none had an effect.

        Raises `WalletOutOfGas` or `TransactionUnconfirmed`.
        """

    async def last_sent(self, kind: TransactionKind, task_id: TaskId) -> str:
        """Return the `0x…` hash of the latest transaction of a kind for a task; empty if none was sent."""


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """The container of an app. `binds` maps host folders to (path inside, read-only), `gpus` is a number of GPUs."""

    task_id: TaskId
    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    binds: Mapping[Path, tuple[str, bool]]
    limits: SlotLimits
    gpus: int = 0


class OutputSink(Protocol):
    """Receives the output of an app. Its methods are thread-safe and do not block."""

    def add(self, stream: OutputStream, data: bytes) -> None:
        """Append output."""

    def mark_gap(self) -> None:
        """Record that output may be missing before the next call of `add`."""


class Engine(Protocol):
    """The container engine.

    Every method raises `DockerUnavailable` if the engine does not answer, `EngineRefused` if it will not do the call.
    """

    async def ensure_image(self, image: str, limit_s: float) -> None:
        """Pull an image within `limit_s` seconds unless it is on this host.

        Raises `ImageUnavailable`, `RegistryUnavailable`, `RegistryLoginRefused`, `HostNetworkUnavailable` or
        `HostStorageUnavailable`.
        """

    async def find(self, task_id: TaskId) -> str | None:
        """Return the id of this worker's container for a task, running or not; None if there is none."""

    async def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id. A container of this worker with the same name is removed first.

        Raises `AppCannotStart`, `ImageUnavailable` if the image is not on this host, or `HostDeviceUnavailable` if the
        host cannot give the app its GPUs, processors or runtime.
        """

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        """Start a container unless it runs, wait for its end, and kill it `limit_s` seconds after its start.

        `new` says that this process created it and has not started it. Raises `AppCannotStart`, `SandboxLost` if it
        must be created again, `HostDeviceUnavailable`, or `HostStorageUnavailable` if the host's disk is nearly full.
        """

    async def follow_output(self, container: str, sink: OutputSink, *, from_now: bool) -> None:
        """Pass a container's output to `sink` until cancelled, from its start or only `from_now`.

        Memory is bounded and the app is never blocked: if output arrives faster than it can be read, only the newest
        is passed on. Engine outages are retried.
        """

    async def copy_logs(self, container: str, stdout: Path, stderr: Path) -> None:
        """Write the two output streams to files, in bounded memory. Of much output only the newest is kept."""

    async def open_folder(self, folder: Path) -> None:
        """Let every user read and remove what an app wrote below a folder of this host. No link is followed.

        Raises `HostStorageUnavailable` if the engine cannot do that.
        """

    async def remove(self, task_id: TaskId) -> None:
        """Kill and remove every container of a task."""


class ResultStore(Protocol):
    """A result proxy."""

    async def archive_rules(self, proxy_url: str) -> ArchiveRules:
        """Return the limits of a proxy. Never fails: a proxy that is away has its last known or default limits."""

    async def prepare(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, *, is_only_worker: bool
    ) -> None:
        """Do ahead what an upload of the archive needs, such as its hash. Never fails; an upload needs no call.

        Only one worker of a task uploads. With `is_only_worker`, this one does if its contribution counts, so that it
        asks the proxy for a token already.
        """

    async def upload(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, result_digest: str
    ) -> str:
        """Upload an archive and return the result link.

        Raises `UploadRefused`, with the proxy's reason if it gave one, or `UploadUnavailable`.
        """


class Downloader(Protocol):
    """Downloads files over HTTP."""

    async def fetch(
        self, url: str, target: Path, quota: TaskQuota, *, is_gateway: bool = False, is_ipfs: bool = False
    ) -> str:
        """Save a file and return its SHA-256 as `0x…` text. An existing file is not downloaded again.

        The size counts against the task's `quota`. `is_gateway` says that the operator chose the server, so that its
        address is not checked; `is_ipfs` that the server is a gateway of IPFS, whose own pages are no files. Raises
        `DownloadFailed` (`ServerDown` and `ServerBusy` if the server is in trouble with any file),
        `HostNetworkUnavailable` or `HostStorageUnavailable`.
        """

    async def network_works(self) -> bool:
        """Return whether a server of the operator's choice answers, so that this host's network works."""


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

    def make_result(
        self, *, callback: bool, rules: ArchiveRules = DEFAULT_RULES, check: Callable[[], None] = ...
    ) -> Result:
        """Build the archive and the digest of the output of an app that succeeded.

        Defects of the output become the result's cause. `check` is called for every entry and chunk; its exception
        cancels the work and passes unchanged. Raises `HostStorageUnavailable`.
        """

    def make_error_result(self, report: ErrorReport, *, callback: bool) -> Result:
        """Replace the output by an error result. Its digest is equal on every worker that fails alike."""

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

    def save(
        self, record: ReplicateRecord, updates: Iterable[Update] = (), *, at_once: bool = True
    ) -> asyncio.Future[None]:
        """Store a record and the updates that report its change; not `at_once`, with the next change or soon."""

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


class Measures(Protocol):
    """Receives what happens to replicates, for metrics."""

    def stage_succeeded(self, stage: Stage, seconds: float) -> None:
        """Record that a stage succeeded after some seconds."""

    def stage_failed(self, stage: Stage, cause: ReplicateStatusCause) -> None:
        """Record that a stage failed."""

    def app_ended(self, ended: AppExit) -> None:
        """Record the end of an app."""


class RuntimeGuard(Protocol):
    """Keeps the worker from taking work while the engine cannot start apps."""

    def lost(self, reason: str, *, gpus: int) -> None:
        """Park, because an app with a number of GPUs could not be started."""


class StageTimings(Protocol):
    """Receives the durations of executions."""

    def record(self, app_s: float, post_compute_s: float) -> None:
        """Record one execution: run time of the app and duration of post-compute, in seconds."""
