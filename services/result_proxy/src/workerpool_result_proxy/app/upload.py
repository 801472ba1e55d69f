"""The upload of a result: rights, chain, bytes, archive, store; each step has its own refusals."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from workerpool_kit.clock import Clock
from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.protocol.ids import Address, TaskId, to_hex
from workerpool_poco.protocol.model import Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_result_proxy import metrics
from workerpool_result_proxy.app.completion import run_to_completion
from workerpool_result_proxy.app.disk_reservations import DiskReservations
from workerpool_result_proxy.app.leases import Leases
from workerpool_result_proxy.app.partial_uploads import PartialUploads
from workerpool_result_proxy.app.ports import Archives, ArchiveWriter, ChainView, IncomingArchive, Store
from workerpool_result_proxy.app.receive import Messages, StreamLimits, first_message, receive
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
    LeaseLost,
    NotAuthorized,
    ResultProxyError,
    TooManyUploads,
)

log = get_logger()


@dataclass(frozen=True)
class UploadLimits:
    """Limits of uploads; sizes in bytes, times in seconds.

    This proxy's node may see a reveal later than the worker, so an upload before its reveal polls the chain every
    `reveal_poll_s` for `reveal_wait_s`. A caller waits at most `slot_wait_s` for one of the `slots`.
    """

    max_size: int
    slots: int = 16
    slot_wait_s: float = 30.0
    reveal_wait_s: float = 5.0
    reveal_poll_s: float = 0.25
    stream: StreamLimits = field(default_factory=StreamLimits)


class UploadResult:
    """The storage of an archive that matches its uploader's reveal on chain, unless the task has a result."""

    def __init__(
        self,
        chain: ChainView,
        store: Store,
        archives: Archives,
        leases: Leases,
        disks: DiskReservations,
        partials: PartialUploads[Any],
        clock: Clock,
        limits: UploadLimits,
    ) -> None:
        self._chain = chain
        self._store = store
        self._archives = archives
        self._leases = leases
        self._disks = disks
        self._partials = partials
        self._clock = clock
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.slots)
        self._turns: WeakValueDictionary[tuple[TaskId, Address], asyncio.Lock] = WeakValueDictionary()
        """One upload at a time for a worker and task, so that one worker cannot hold the slots of all."""

    def offset(self, wallet: Address, declared: Declaration) -> int:
        """Return the position of the first missing byte of the declared archive."""
        return self._partials.received(wallet, declared)

    async def upload(self, wallet: Address, messages: Messages) -> StoredResult:
        """Receive one upload of `wallet`; the result is durable when this returns.

        Raises a `ResultProxyError` for each refusal, and `DatabaseUnavailable`.
        """
        declared = await first_message(messages, self._limits.stream)
        events = log.bind(task=declared.task_id, worker=wallet, size=declared.size)
        started = time.monotonic()
        try:
            async with self._turn(declared.task_id, wallet):
                contribution = await self._check_rights(wallet, declared)
                async with self._slot():
                    stored = await self._accept(wallet, declared, contribution, messages)
        except WorkerpoolError as refusal:
            metrics.UPLOADS.labels(refusal.reason).inc()
            events.warning("result.refused", reason=refusal.reason, message=refusal.message)
            raise
        metrics.UPLOADS.labels("stored").inc()
        metrics.STORED_BYTES.inc(stored.size)
        events.info("result.stored", seconds=round(time.monotonic() - started, 3))
        return stored

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._limits.slot_wait_s):
                await self._slots.acquire()
        except TimeoutError:
            raise TooManyUploads("the limit of concurrent uploads is reached; try again later") from None
        try:
            with metrics.UPLOADS_IN_PROGRESS.track_inprogress():
                yield
        finally:
            self._slots.release()

    @asynccontextmanager
    async def _turn(self, task_id: TaskId, wallet: Address) -> AsyncIterator[None]:
        """Wait for an earlier upload of the same worker and task."""
        lock = self._turns.setdefault((task_id, wallet), asyncio.Lock())
        try:
            async with asyncio.timeout(self._limits.slot_wait_s):
                await lock.acquire()
        except TimeoutError:
            raise TooManyUploads(
                "another upload of this worker for this task is in progress; try again later"
            ) from None
        try:
            yield
        finally:
            lock.release()

    async def _accept(
        self, wallet: Address, declared: Declaration, contribution: Contribution, messages: Messages
    ) -> StoredResult:
        file = _File(self._archives.new_id())
        async with (
            self._disks.reserved(declared.size - declared.offset, declared.size),
            self._partials.archive(wallet, declared, declared.offset) as archive,
            self._leases.hold(file.id, self._archives.storage),
        ):
            try:
                async with self._archives.writing(file.id, declared.size) as writer:
                    await self._receive(declared, messages, archive, writer)
                    digest = await archive.result_digest()
                    check_digest(declared.task_id, digest, contribution, what="the archive")
                    # From here on, a disconnected caller must not leave half a result.
                    return await run_to_completion(self._keep(wallet, declared, digest, file, writer))
            except BaseException:
                # A disconnected client cancels the call; its bytes must not stay without a result.
                if file.is_discardable:
                    await run_to_completion(self._discard(file.id))
                raise

    async def _receive(
        self, declared: Declaration, messages: Messages, archive: IncomingArchive, writer: ArchiveWriter
    ) -> None:
        async def take(chunk: bytes) -> None:
            # The temporary file first: it refuses bytes beyond the declared size.
            await archive.append(chunk)
            await writer.append(chunk)

        if declared.offset:
            async for piece in archive.content():
                await writer.append(piece)
        await receive(messages, declared.size - declared.offset, take, self._limits.stream)
        await archive.finish()

    async def _check_rights(self, wallet: Address, declared: Declaration) -> Contribution:
        """Check everything that does not need the archive, so that a refused upload sends no byte."""
        task_id = declared.task_id
        check_size(declared.size, self._limits.max_size)
        # Almost every upload is allowed, so the chain is read meanwhile.
        revealed = asyncio.create_task(self._revealed_contribution(task_id, wallet), name="reveal")
        try:
            is_authorized, stored = await asyncio.gather(
                self._store.is_authorized(task_id, wallet), self._store.find_result(task_id)
            )
            if not is_authorized:
                raise NotAuthorized(
                    f"{wallet} has submitted no authorization for this task; request a token with it first"
                )
            if stored is not None:
                raise _second(stored)
            contribution = await revealed
        finally:
            revealed.cancel()
            await asyncio.gather(revealed, return_exceptions=True)
        if declared.result_digest is not None:
            check_digest(task_id, declared.result_digest, contribution, what="the declared digest")
        return contribution

    async def _revealed_contribution(self, task_id: TaskId, wallet: Address) -> Contribution:
        """Return the uploader's revealed contribution, waiting a few seconds for the reveal."""
        kind_checked = False

        async def read() -> Contribution:
            nonlocal kind_checked
            task, contribution = await asyncio.gather(
                self._chain.task(task_id), self._chain.contribution(task_id, wallet)
            )
            if not kind_checked and task.status is not ChainTaskStatus.UNSET:
                check_kind(await self._chain.deal(task.deal_id))
                kind_checked = True
            if readiness(task, contribution) is not Readiness.READY:
                raise _NotRevealedYet(not_ready(task, contribution))
            return contribution

        try:
            return await retry(
                read,
                what="wait for the reveal",
                on=_NotRevealedYet,
                backoff=Backoff(self._limits.reveal_poll_s, self._limits.reveal_poll_s, jitter=0),
                timeout_s=self._limits.reveal_wait_s,
                task=task_id,
            )
        except _NotRevealedYet as late:
            raise late.refusal from None

    async def _keep(
        self, wallet: Address, declared: Declaration, digest: bytes, file: "_File", writer: ArchiveWriter
    ) -> StoredResult:
        location = await writer.finish()
        result = StoredResult(
            task_id=declared.task_id,
            size=declared.size,
            sha256=declared.sha256,
            result_digest=digest,
            result_link=link_for(declared.task_id, location),
            uploader=wallet,
            stored_at=datetime.fromtimestamp(self._clock.now(), UTC),
            file_id=file.id,
            storage=self._archives.storage,
        )
        # After an error the outcome of the commit is unknown. The lease then expires, and the process that claims it
        # checks whether the bytes belong to a result.
        file.is_discardable = False
        if not await self._store.commit(result):
            file.is_discardable = True
            if (stored := await self._store.find_result(declared.task_id)) is not None:
                raise _second(stored)
            raise LeaseLost("the result of another upload expired meanwhile; upload it again")
        return result

    async def _discard(self, file_id: str) -> None:
        try:
            await self._leases.discard(file_id, self._archives.storage)
        except WorkerpoolError as outage:
            # The lease expires, and then the bytes are removed.
            log.warning("result.discard_postponed", file=file_id, reason=outage.reason)


def _second(stored: StoredResult) -> AlreadyStored:
    return AlreadyStored(
        "the result of this task is already stored and is never overwritten",
        details={
            "result_link": stored.result_link,
            "sha256": to_hex(stored.sha256),
            "result_digest": to_hex(stored.result_digest),
            "uploader": stored.uploader,
        },
    )


class _NotRevealedYet(Exception):
    """The reveal may still appear; `refusal` is the error if it does not."""

    def __init__(self, refusal: ResultProxyError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(slots=True)
class _File:
    """The stored bytes of an upload, which are removed if it fails while they are discardable."""

    id: str
    is_discardable: bool = True
