"""Partial uploads whose stream broke, kept for a while so that the worker can continue them."""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic

from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_result_proxy.app.completion import run_to_completion
from workerpool_result_proxy.app.ports import A, Workspace
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import OffsetMismatch, StorageFull

log = get_logger()

_LASTING = frozenset({Kind.INVALID, Kind.PERMISSION, Kind.ALREADY_EXISTS, Kind.NOT_FOUND})
"""Kinds of refusals that a continued upload would get again."""


def _is_lasting(broken: BaseException) -> bool:
    # Partial uploads would keep a full disk full.
    return isinstance(broken, StorageFull) or (
        isinstance(broken, WorkerpoolError) and broken.kind in _LASTING
    )


@dataclass(frozen=True, slots=True)
class _Kept(Generic[A]):
    declared: Declaration
    archive: A
    since: float


class PartialUploads(Generic[A]):
    """The incoming archives; at most `most` partial uploads are kept, each for `keep_s` seconds (0 keeps none)."""

    def __init__(
        self,
        workspace: Workspace[A],
        *,
        keep_s: float,
        most: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspace = workspace
        self._keep_s = keep_s
        self._most = most
        self._now = now
        self._kept: OrderedDict[tuple[TaskId, Address], _Kept[A]] = OrderedDict()

    def received(self, wallet: Address, declared: Declaration) -> int:
        """Return the number of kept bytes of the declared archive, at which its upload continues."""
        kept = self._kept.get((declared.task_id, wallet))
        return kept.archive.received if kept and kept.declared == declared else 0

    @asynccontextmanager
    async def archive(self, wallet: Address, declared: Declaration, offset: int) -> AsyncIterator[A]:
        """Return the archive to continue at `offset`, an empty one at 0.

        It is removed at the end, but kept when the stream or a dependency broke. Raises `StorageFull`, and
        `OffsetMismatch` when `offset` is not the next byte.
        """
        archive = await self._take(wallet, declared, offset)
        keep = False
        try:
            yield archive
        except BaseException as broken:
            keep = not _is_lasting(broken)
            raise
        finally:
            await run_to_completion(archive.settle())
            if keep and archive.received and self._keep_s:
                await self._keep(wallet, declared, archive)
            else:
                await self._workspace.remove(archive)

    async def purge(self) -> None:
        """Remove partial uploads that were kept for too long."""
        limit = self._now() - self._keep_s
        for key in [key for key, kept in self._kept.items() if kept.since <= limit]:
            await self._discard(key)

    async def close(self) -> None:
        """Remove every partial upload."""
        for key in list(self._kept):
            await self._discard(key)

    async def _take(self, wallet: Address, declared: Declaration, offset: int) -> A:
        key = (declared.task_id, wallet)
        there = self.received(wallet, declared)
        if offset and offset != there:
            raise OffsetMismatch(
                f"the upload continues at byte {there}, not {offset}; request its offset and send from there",
                details={"offset": there},
            )
        if offset:
            return self._kept.pop(key).archive
        await self._discard(key)
        return self._workspace.create(declared)

    async def _keep(self, wallet: Address, declared: Declaration, archive: A) -> None:
        key = (declared.task_id, wallet)
        await self._discard(key)
        self._kept[key] = _Kept(declared, archive, self._now())
        log.info("upload.kept", task=declared.task_id, worker=wallet, received=archive.received)
        while len(self._kept) > self._most:
            await self._discard(next(iter(self._kept)))

    async def _discard(self, key: tuple[TaskId, Address]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            await self._workspace.remove(kept.archive)
