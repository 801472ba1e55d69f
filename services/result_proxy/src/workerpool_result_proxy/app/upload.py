"""Accept a result: rights, chain, bytes, archive, store; each step has its own refusals."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from workerpool_kit.clock import Clock
from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.protocol.ids import Address, TaskId, to_hex
from workerpool_poco.protocol.model import Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_result_proxy import metrics
from workerpool_result_proxy.app.completion import run_to_completion
from workerpool_result_proxy.app.ports import Archives, ChainView, Store, Workspace
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
from workerpool_result_proxy.errors import AlreadyStored, NotAuthorized, ResultProxyError, TooManyUploads

log = get_logger()


@dataclass(frozen=True)
class UploadLimits:
    """Limits of uploads; sizes in bytes, times in seconds.

    This proxy's node may see a reveal later than the worker does: an upload that arrives before its reveal checks the
    chain each `reveal_poll_s` for `reveal_wait_s`. A caller waits at most `slot_wait_s` for one of the `slots`.
    """

    max_size: int
    slots: int = 16
    slot_wait_s: float = 30.0
    reveal_wait_s: float = 5.0
    reveal_poll_s: float = 0.25
    stream: StreamLimits = field(default_factory=StreamLimits)


class UploadResult:
    """Stores an archive that matches what the uploader revealed on chain, unless the task has a result."""

    def __init__(
        self,
        chain: ChainView,
        store: Store,
        archives: Archives,
        workspace: Workspace,
        clock: Clock,
        limits: UploadLimits,
    ) -> None:
        self._chain = chain
        self._store = store
        self._archives = archives
        self._workspace = workspace
        self._clock = clock
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.slots)

    async def upload(self, wallet: Address, messages: Messages) -> StoredResult:
        """Receive one upload of `wallet`; the result is durable when this returns.

        Raises a `ResultProxyError` for each refusal, and `DatabaseUnavailable`.
        """
        declared = await first_message(messages, self._limits.stream)
        events = log.bind(task=declared.task_id, worker=wallet, size=declared.size)
        started = time.monotonic()
        try:
            async with self._slot():
                stored = await self._accept(wallet, declared, messages)
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

    async def _accept(self, wallet: Address, declared: Declaration, messages: Messages) -> StoredResult:
        contribution = await self._check_rights(wallet, declared)
        async with self._workspace.incoming(declared) as archive:
            await receive(messages, declared, archive, self._limits.stream)
            digest = await archive.result_digest()
            check_digest(declared.task_id, digest, contribution, what="the archive")
            # A caller that disconnects from here on must not leave half a result.
            return await run_to_completion(self._keep(wallet, declared, digest, archive.path))

    async def _check_rights(self, wallet: Address, declared: Declaration) -> Contribution:
        """Check everything that needs no archive, so that a refused upload sends no byte."""
        task_id = declared.task_id
        check_size(declared.size, self._limits.max_size)
        if not await self._store.is_authorized(task_id, wallet):
            raise NotAuthorized(
                f"{wallet} has shown no authorization for this task; request a token with it first"
            )
        await self._refuse_second(task_id)
        contribution = await self._revealed_contribution(task_id, wallet)
        check_digest(task_id, declared.result_digest, contribution, what="the declared digest")
        return contribution

    async def _revealed_contribution(self, task_id: TaskId, wallet: Address) -> Contribution:
        """Return the uploader's revealed contribution, waiting a few seconds for the reveal."""
        kind_checked = False

        async def read() -> Contribution:
            nonlocal kind_checked
            task = await self._chain.task(task_id)
            contribution = await self._chain.contribution(task_id, wallet)
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
        # An error here leaves open whether the commit happened. The announcement stays, and the next start checks
        # whether the bytes belong to a result.
        if not await self._store.commit(result):
            await self._discard(result.file_id)
            await self._refuse_second(declared.task_id)
        return result

    async def _discard(self, file_id: str) -> None:
        await self._archives.delete(file_id)
        await self._store.retract(file_id)

    async def _refuse_second(self, task_id: TaskId) -> None:
        stored = await self._store.find_result(task_id)
        if stored is not None:
            raise AlreadyStored(
                "the result of this task is already stored and is never overwritten",
                details={
                    "result_link": stored.result_link,
                    "sha256": to_hex(stored.sha256),
                    "result_digest": to_hex(stored.result_digest),
                    "uploader": stored.uploader,
                },
            )


class _NotRevealedYet(Exception):
    """The reveal may still appear; `refusal` is the answer if it does not."""

    def __init__(self, refusal: ResultProxyError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


async def purge_orphans(store: Store, archives: Archives) -> int:
    """Remove the bytes of uploads that a crash interrupted; return their number.

    Run it at start, before uploads are accepted: each database has one result proxy.
    """
    orphans = await store.announced()
    for file_id in orphans:
        await archives.delete(file_id)
        await store.retract(file_id)
        log.info("result.orphan_purged", file=file_id)
    return len(orphans)
