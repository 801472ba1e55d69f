"""The use cases over memory, with real temporary files."""

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.adapters.files.workspace import TemporaryFolder
from workerpool_result_proxy.app.disk_reservations import DiskReservations
from workerpool_result_proxy.app.leases import Leases
from workerpool_result_proxy.app.partial_uploads import PartialUploads
from workerpool_result_proxy.app.receive import StreamLimits
from workerpool_result_proxy.app.upload import UploadLimits, UploadResult
from workerpool_result_proxy.domain.results import GRIDFS, Declaration, StoredResult

from services.result_proxy.tests.doubles.chain import NO_DEAL, NO_TASK, MemoryChain
from services.result_proxy.tests.doubles.store import MemoryArchives, MemoryStore

TASK, DEAL, WORKER = TaskId("0x" + "01" * 32), DealId("0x" + "02" * 32), "0x" + "11" * 20
TEXT = b"a result"
DIGEST = hashlib.sha256(TEXT).digest()


class World:
    """One revealed task, and an upload of its result."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chain, self.store, self.archives = MemoryChain(), MemoryStore(), MemoryArchives()
        self.clock, self.threads = FakeClock(), FileThreads()
        self.workspace = TemporaryFolder(folder, self.threads, ArchiveRules(max_unpacked_bytes=1 << 20))
        self.workspace.open()
        self.floor = 0
        self.leases = Leases(self.store, {GRIDFS: self.archives})
        self.partials = PartialUploads(self.workspace, keep_s=60, most=2, now=self.clock.now)
        self.task: ChainTask = replace(NO_TASK, task_id=TASK, deal_id=DEAL, status=ChainTaskStatus.REVEALING)
        self.deal: Deal = replace(NO_DEAL, deal_id=DEAL, start_time=1)
        self.archive = zipped(
            {"computed.json": b'{"deterministic-output-path": "/iexec_out/r.txt"}', "r.txt": TEXT}
        )
        self.limits = UploadLimits(
            max_size=1 << 20,
            slot_wait_s=0.05,
            reveal_wait_s=0.2,
            reveal_poll_s=0.01,
            stream=StreamLimits(idle_s=0.1),
        )
        self.chain.deals[DEAL] = self.deal
        self.chain.tasks[TASK] = self.task
        self.reveal()
        self.store.authorizations[TASK, WORKER] = WorkerpoolAuthorization(
            WORKER, TASK, ZERO_ADDRESS, DEAL, 0, b""
        )

    def contribute(self, status: ContributionStatus = ContributionStatus.CONTRIBUTED) -> None:
        """Let the worker contribute the digest of the result."""
        self.chain.contributions[TASK, WORKER] = Contribution(
            status, result_hash(TASK, DIGEST), bytes(32), ZERO_ADDRESS, 0
        )

    def reveal(self) -> None:
        """Let the worker reveal."""
        self.contribute(ContributionStatus.PROVED)

    def reveal_for(self, worker: Address) -> None:
        """Let another worker reveal the same digest."""
        self.chain.contributions[TASK, worker] = Contribution(
            ContributionStatus.PROVED, result_hash(TASK, DIGEST), bytes(32), ZERO_ADDRESS, 0
        )

    def use_case(self) -> UploadResult:
        """Return the upload use case."""
        disks = DiskReservations(self.workspace.free_bytes, self.archives.free_bytes, floor=self.floor)
        return UploadResult(
            self.chain, self.store, self.archives, self.leases, disks, self.partials, self.clock, self.limits
        )

    def declaration(self, **changes: object) -> Declaration:
        """Return the header of the upload."""
        declared = Declaration(TASK, len(self.archive), hashlib.sha256(self.archive).digest(), DIGEST)
        return replace(declared, **changes)  # type: ignore[arg-type]

    async def stream(
        self, *parts: Declaration | bytes, stalls: bool = False
    ) -> AsyncIterator[Declaration | bytes]:
        """Yield the messages of an upload: the honest ones unless `parts` are given."""
        for part in parts or (self.declaration(), self.archive[:50], self.archive[50:]):
            yield part
        if stalls:
            await asyncio.Event().wait()

    async def upload(self, *parts: Declaration | bytes) -> StoredResult:
        """Upload the result."""
        return await self.use_case().upload(WORKER, self.stream(*parts))

    def temporary_files(self) -> list[Path]:
        """Return what uploads have left in the workspace."""
        return [path for path in self.folder.glob("run-*/*") if path.name != "lock"]


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
