"""Taking in the bytes of an upload: into a file, counted and hashed on the way, never faster than the disk."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workerpool_result_proxy.adapters.disk import full_disk_refused
from workerpool_result_proxy.adapters.file_threads import FileThreads
from workerpool_result_proxy.domain.inflow import Inflow
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import HeaderExpected, UploadStalled

Messages = AsyncIterator[Declaration | bytes]
"""An upload as it arrives: one declaration, then the bytes."""


@dataclass(frozen=True)
class Patience:
    """How long an upload may take: `idle_s` seconds between two messages, at least `slowest` bytes/s overall."""

    idle_s: float = 30.0
    slowest: int = 32 * 1024
    grace_s: float = 60.0

    def total_s(self, size: int) -> float:
        """Return the seconds that receiving `size` bytes may take."""
        return self.grace_s + size / self.slowest


async def first_message(messages: Messages, patience: Patience) -> Declaration:
    """Return the declaration that must come first."""
    header = await _next(messages, patience)
    if not isinstance(header, Declaration):
        raise HeaderExpected("the first message of an upload must be the header")
    return header


async def receive(
    messages: Messages, declared: Declaration, into: Path, threads: FileThreads, patience: Patience
) -> None:
    """Write the bytes to the file `into`; return when all have come and are what was declared."""
    inflow = Inflow(size=declared.size, sha256=declared.sha256)
    try:
        async with asyncio.timeout(patience.total_s(declared.size)):
            with full_disk_refused(), into.open("wb", buffering=0) as file:
                while (chunk := await _next(messages, patience)) is not None:
                    if isinstance(chunk, Declaration):
                        raise HeaderExpected("an upload has one header only")
                    await threads.run(_take, inflow, file, chunk)
    except TimeoutError:
        raise UploadStalled("the upload took too long; send it again over a faster connection") from None
    inflow.finish()


def _take(inflow: Inflow, file: BinaryIO, chunk: bytes) -> None:
    inflow.add(chunk)
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


async def _next(messages: Messages, patience: Patience) -> Declaration | bytes | None:
    try:
        async with asyncio.timeout(patience.idle_s):
            return await anext(messages, None)
    except TimeoutError:
        raise UploadStalled(f"nothing came for {patience.idle_s:g} seconds; send the archive again") from None
