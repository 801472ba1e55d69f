"""What the worker's use cases need from the world; the adapters are named after the technology."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.model import Account, ChainTask, Contribution

from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.domain.record import SentTransaction
from workerpool_worker.domain.updates import Receipt

KeepTransaction = Callable[[SentTransaction], Awaitable[None]]
"""Journals a signed transaction; it is sent only once this has returned."""


class TransactionRefused(Exception):
    """A transaction was mined and reverted, or the node will never take it; the message says why."""


class Chain(Protocol):
    """The blockchain as one worker's wallet sees it. Reads raise ``ChainUnreachable`` when the node does not answer."""

    @property
    def head(self) -> int:
        """Number of the newest block seen; 0 before the first."""

    async def wait_block(self, number: int, limit_s: float) -> bool:
        """Wait until the node has a block; False when it took longer than ``limit_s`` seconds."""

    async def task(self, task_id: TaskId) -> ChainTask:
        """Read a task."""

    async def account(self) -> Account:
        """Read the worker's money in the hub."""

    async def contribution(self, task_id: TaskId) -> Contribution:
        """Read the worker's own contribution."""

    async def is_pool_owner(self, signer: Address) -> bool:
        """Tell whether an address owns the workerpool."""

    async def can_pay(self, gas: int) -> bool:
        """Tell whether the wallet can pay for that much gas at the present price."""

    async def contribute(
        self, authorization: WorkerpoolAuthorization, result_hash: bytes, seal: bytes, keep: KeepTransaction
    ) -> Receipt:
        """Send ``contribute`` and wait for its receipt; raises :class:`TransactionRefused`."""

    async def reveal(self, task_id: TaskId, digest: bytes, keep: KeepTransaction) -> Receipt:
        """Send ``reveal`` and wait for its receipt; raises :class:`TransactionRefused`."""

    async def resume(self, sent: SentTransaction, keep: KeepTransaction) -> Receipt | None:
        """Send a journaled transaction once more and wait for it; None when its nonce went to another one.

        A version that replaces it, because it waits too long, is kept before it is sent.
        """


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """An app to run. ``binds`` maps host folders to (path inside, read-only?)."""

    task_id: TaskId
    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    binds: Mapping[Path, tuple[str, bool]]
    limits: SlotLimits


@dataclass(frozen=True, slots=True)
class Ended:
    """How an app ended: exit code (-1 when it never ran), run time in seconds, whether it was killed at its limit."""

    exit_code: int
    run_time_s: float
    timed_out: bool = False
    error: str = ""
    """The engine's words when the app could not be started."""


class AppCannotStart(Exception):
    """The engine refuses to run this app (bad command, no command); the message is the engine's."""


class OutputSink(Protocol):
    """Takes what an app prints. Its methods may be called in any thread, and do not block."""

    def add(self, stream: OutputStream, data: bytes) -> None:
        """Append what was printed."""

    def skip(self) -> None:
        """Hear that something may be missing before what comes next."""


class Engine(Protocol):
    """The container engine. Every method raises ``DockerUnavailable`` when it does not answer."""

    async def ensure_image(self, image: str, limit_s: float) -> None:
        """Have an image locally, pulling it if it is missing; raises ``ImageUnavailable`` or ``HostFull``."""

    async def find(self, task_id: TaskId) -> str | None:
        """Return the id of the worker's own container for a task, running or not."""

    async def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id; one of the same name makes way.

        Raises ``AppCannotStart``, or ``ImageUnavailable`` when the image is not here.
        """

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> Ended:
        """Start the container unless it runs already, wait for its end, kill it ``limit_s`` seconds after its start.

        ``new`` says that it was just created.
        """

    async def follow_output(self, container: str, sink: OutputSink, *, from_now: bool) -> None:
        """Hand over what a container prints, from its start or only ``from_now``, until cancelled.

        In bounded memory, and never in the app's way: of what comes faster than it can be read, the newest. Outages of
        the engine are waited out.
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
        """Upload an archive and return the result link; raises ``UploadRefused`` or ``UploadUnavailable``."""


class Downloader(Protocol):
    """Fetches files over HTTP."""

    async def fetch(self, url: str, target: Path) -> str:
        """Save a file and return its SHA-256 as ``0x…``; a file that is there already is not fetched again.

        Raises ``DownloadFailed`` or ``HostFull``.
        """
