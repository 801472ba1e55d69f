"""Accepting a result: rights, chain, bytes, archive, chain again, store; each step refuses with its own reason."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from workerpool_kit.clock import Clock
from workerpool_kit.errors import WorkerpoolError
from workerpool_poco.protocol.ids import Address, to_hex
from workerpool_poco.protocol.model import Contribution
from workerpool_poco.protocol.results import ResultDigestError, read_computed, result_digest

from workerpool_result_proxy import metrics
from workerpool_result_proxy.adapters.disk import full_disk_refused
from workerpool_result_proxy.adapters.file_threads import FileThreads, to_the_end
from workerpool_result_proxy.adapters.upload_file import Messages, Patience, first_message, receive
from workerpool_result_proxy.adapters.workspace import Workspace
from workerpool_result_proxy.adapters.zip_archive import unpack
from workerpool_result_proxy.app.ports import Archives, ChainView, Store
from workerpool_result_proxy.domain.archive_rules import ArchiveLimits
from workerpool_result_proxy.domain.results import Declaration, StoredResult, link_for
from workerpool_result_proxy.domain.upload_rules import (
    Readiness,
    check_digest,
    check_kind,
    check_size,
    not_ready,
    readiness,
)
from workerpool_result_proxy.errors import (
    AlreadyStored,
    ArchiveWithoutDigest,
    NotAuthorized,
    TooManyUploads,
)

log = structlog.get_logger()


@dataclass(frozen=True)
class UploadLimits:
    """Bounds of uploads: `max_size` bytes of an archive, and how long to wait for what may still come.

    Our node may learn of a worker's reveal later than the worker: `reveal_wait_s` seconds of re-checking each
    `reveal_poll_s`. A caller waits at most `place_wait_s` for one of the `places` for concurrent uploads.
    """

    max_size: int
    archive: ArchiveLimits
    places: int = 16
    place_wait_s: float = 30.0
    reveal_wait_s: float = 5.0
    reveal_poll_s: float = 0.25
    patience: Patience = field(default_factory=Patience)


class UploadResult:
    """Keeps an archive when it is what the uploader revealed on chain, and none is kept yet."""

    def __init__(
        self,
        chain: ChainView,
        store: Store,
        archives: Archives,
        workspace: Workspace,
        threads: FileThreads,
        clock: Clock,
        limits: UploadLimits,
    ) -> None:
        self._chain = chain
        self._store = store
        self._archives = archives
        self._workspace = workspace
        self._threads = threads
        self._clock = clock
        self._limits = limits
        self._places = asyncio.Semaphore(limits.places)

    async def upload(self, wallet: Address, messages: Messages) -> StoredResult:
        """Take in one upload of `wallet`; the result is safe on disk when this returns."""
        declared = await first_message(messages, self._limits.patience)
        events = log.bind(task=to_hex(declared.task_id), worker=wallet, size=declared.size)
        started = time.monotonic()
        try:
            async with self._place():
                stored = await self._accept(wallet, declared, messages)
        except WorkerpoolError as refusal:
            metrics.uploads.labels(refusal.reason).inc()
            events.warning("result.refused", reason=refusal.reason, message=refusal.message)
            raise
        metrics.uploads.labels("stored").inc()
        metrics.stored_bytes.inc(stored.size)
        events.info("result.stored", seconds=round(time.monotonic() - started, 3))
        return stored

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._limits.place_wait_s):
                await self._places.acquire()
        except TimeoutError:
            raise TooManyUploads("too many uploads at once; try again later") from None
        try:
            with metrics.uploads_in_progress.track_inprogress():
                yield
        finally:
            self._places.release()

    async def _accept(self, wallet: Address, declared: Declaration, messages: Messages) -> StoredResult:
        contribution = await self._check_rights(wallet, declared)
        async with self._workspace.folder() as folder:
            archive = folder / "result.zip"
            await receive(messages, declared, archive, self._threads, self._limits.patience)
            digest = await self._threads.run(_digest_of, archive, folder / "out", self._limits.archive)
            check_digest(declared.task_id, digest, contribution, what="the archive")
            # From here on nobody needs the caller: a cut connection must not leave half a result.
            return await to_the_end(self._keep(wallet, declared, digest, archive))

    async def _check_rights(self, wallet: Address, declared: Declaration) -> Contribution:
        """Check everything that needs no archive, so that hopeless uploads end before their first byte."""
        task_id = declared.task_id
        check_size(declared.size, self._limits.max_size)
        if not await self._store.is_authorized(task_id, wallet):
            raise NotAuthorized(
                f"{wallet} has shown no authorization for this task; ask for a token with it first"
            )
        await self._refuse_second(task_id)
        contribution = await self._revealed_contribution(task_id, wallet)
        check_digest(task_id, declared.result_digest, contribution, what="the declared digest")
        return contribution

    async def _revealed_contribution(self, task_id: bytes, wallet: Address) -> Contribution:
        deadline = time.monotonic() + self._limits.reveal_wait_s
        kind_checked = False
        while True:
            task = await self._chain.task(task_id)
            contribution = await self._chain.contribution(task_id, wallet)
            if not kind_checked and any(task.deal_id):
                check_kind(await self._chain.deal(task.deal_id))
                kind_checked = True
            if readiness(task, contribution) is Readiness.READY:
                return contribution
            if time.monotonic() >= deadline:
                raise not_ready(task, contribution)
            await asyncio.sleep(self._limits.reveal_poll_s)

    async def _keep(
        self, wallet: Address, declared: Declaration, digest: bytes, archive: Path
    ) -> StoredResult:
        await self._refuse_second(declared.task_id)
        result = StoredResult(
            task_id=declared.task_id,
            size=declared.size,
            sha256=declared.sha256,
            result_digest=digest,
            result_link=link_for(declared.task_id),
            uploader=wallet,
            stored_at=datetime.fromtimestamp(self._clock.now(), UTC),
            file_id=self._archives.new_id(),
        )
        await self._store.announce(result.file_id)
        try:
            await self._archives.put(result.file_id, archive)
        except BaseException:
            await self._discard(result.file_id)
            raise
        # If this fails, nobody knows whether the database did it: then the announcement stays, and the next start
        # looks whether the bytes belong to a result.
        if not await self._store.commit(result):
            await self._discard(result.file_id)
            await self._refuse_second(declared.task_id)
        return result

    async def _discard(self, file_id: str) -> None:
        await self._archives.delete(file_id)
        await self._store.retract(file_id)

    async def _refuse_second(self, task_id: bytes) -> None:
        stored = await self._store.find_result(task_id)
        if stored is not None:
            raise AlreadyStored(
                "the result of this task is stored already and is never overwritten",
                details={
                    "result_link": stored.result_link,
                    "sha256": to_hex(stored.sha256),
                    "result_digest": to_hex(stored.result_digest),
                    "uploader": stored.uploader,
                },
            )


async def purge_orphans(store: Store, archives: Archives) -> int:
    """Remove the bytes of uploads that a crash interrupted; returns how many.

    Run at start, before uploads are taken: each database has one result proxy.
    """
    orphans = await store.announced()
    for file_id in orphans:
        await archives.delete(file_id)
        await store.retract(file_id)
        log.info("result.orphan_purged", file=file_id)
    return len(orphans)


def _digest_of(archive: Path, out: Path, limits: ArchiveLimits) -> bytes:
    """Unpack an archive and compute its digest as the worker did (worker spec A.8)."""
    with full_disk_refused():
        out.mkdir()
        unpack(archive, out, limits)
    try:
        return result_digest(out, read_computed(out))
    except ResultDigestError as error:
        raise ArchiveWithoutDigest(str(error), details={"cause": error.cause}) from error
