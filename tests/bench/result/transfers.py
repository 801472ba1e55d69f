"""One archive up or down: through the proxy, and straight into the store and out of it."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp
import gridfs
from pymongo import MongoClient
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.result_link import ResultLink
from workerpool_worker.adapters.results.grpc_result_store import GrpcResultStore

from bench.result.pool import Archive, Proxy, ResultPool

_PIECE = 1 << 20

Mark = Callable[[], None]
"""Called between an upload and its download."""


@dataclass(frozen=True)
class Taken:
    """What a transfer took, in seconds: `client` is the processor time of this process and of those that it ran."""

    seconds: float
    client: float


class _Clock:
    def __init__(self) -> None:
        self._started, self._used = time.perf_counter(), sum(os.times()[:4])

    def taken(self) -> Taken:
        return Taken(time.perf_counter() - self._started, sum(os.times()[:4]) - self._used)


async def proxy_up(pool: ResultPool, proxy: Proxy, archive: Archive) -> tuple[Taken, str]:
    """Upload with the worker's own client; return what it took and the location of the result."""
    taken, (location,) = await proxy_up_at_once(pool, proxy, [archive])
    return taken, location


async def proxy_up_at_once(
    pool: ResultPool, proxy: Proxy, archives: Sequence[Archive]
) -> tuple[Taken, list[str]]:
    """Upload all archives at once with the worker's own client; return what it took and the locations.

    Their hashes, like their reveals, are made before the time starts.
    """
    store = GrpcResultStore(pool.worker.sign_message_hash)
    try:
        authorizations = [await asyncio.to_thread(pool.reveal, archive.digest) for archive in archives]
        # As a worker does while the chain takes contribution and reveal.
        await asyncio.gather(
            *(
                store.prepare(proxy.url, authorization, archive.path, is_only_worker=True)
                for authorization, archive in zip(authorizations, archives, strict=True)
            )
        )
        clock = _Clock()
        links = await asyncio.gather(
            *(
                store.upload(proxy.url, authorization, archive.path, to_hex(archive.digest))
                for archive, authorization in zip(archives, authorizations, strict=True)
            )
        )
        taken = clock.taken()
    finally:
        await store.close()
    return taken, [ResultLink.decode(link).location for link in links]


async def proxy_down(proxy: Proxy, location: str, archive: Archive) -> Taken:
    """Download by HTTP, as requesters do; return what it took. The bytes are verified outside of the time.

    The client reads into one buffer, so that it takes as little of the processor as it can from the proxy.
    """

    def down() -> tuple[Taken, int]:
        size, buffer = 0, bytearray(_PIECE)
        clock = _Clock()
        connection = http.client.HTTPConnection("127.0.0.1", proxy.ports.http)
        try:
            connection.request("GET", location)
            answer = connection.getresponse()
            while count := answer.readinto(buffer):
                size += count
        finally:
            connection.close()
        return clock.taken(), size

    taken, size = await asyncio.to_thread(down)
    if size != archive.size:
        raise SystemExit(f"bench: {size} bytes came back of {archive.size}")
    return taken


async def verify(proxy: Proxy, location: str, archive: Archive) -> None:
    """Compare the stored bytes with the archive's."""
    digest = hashlib.sha256()
    async with aiohttp.ClientSession() as session, session.get(proxy.url + location) as answer:
        async for piece in answer.content.iter_chunked(_PIECE):
            digest.update(piece)
    if digest.digest() != await asyncio.to_thread(_sha256, archive):
        raise SystemExit("bench: other bytes came back than were stored")


async def mongo_up_and_down(pool: ResultPool, archive: Archive, between: Mark) -> tuple[Taken, Taken]:
    """Return what PyMongo's GridFS took, with the durability of the proxy: majority and journal.

    The archive stays, as behind the proxy: the pages and blocks of a dropped one would be ready for the next.
    """

    def both() -> tuple[Taken, Taken]:
        with MongoClient[dict[str, object]](pool.database.uri, w="majority", journal=True) as client:
            bucket = gridfs.GridFSBucket(client["direct"], chunk_size_bytes=_PIECE)
            clock = _Clock()
            with archive.path.open("rb") as source:
                stored = bucket.upload_from_stream("archive", source)
            up, size = clock.taken(), 0
            between()
            clock = _Clock()
            with bucket.open_download_stream(stored) as content:
                while piece := content.read(_PIECE):
                    size += len(piece)
            down = clock.taken()
        if size != archive.size:
            raise SystemExit(f"bench: PyMongo returned {size} bytes of {archive.size}")
        return up, down

    return await asyncio.to_thread(both)


async def ipfs_up_and_down(pool: ResultPool, archive: Archive, between: Mark) -> tuple[Taken, Taken]:
    """Return what `ipfs add` and `ipfs cat` took."""
    kubo = pool.kubo
    if kubo is None:
        raise ValueError("this pool has no IPFS node")

    def both() -> tuple[Taken, Taken]:
        clock = _Clock()
        cid = kubo.run("add", "-Q", "--cid-version=1", "--pin=false", str(archive.path)).decode().strip()
        up = clock.taken()
        between()
        clock = _Clock()
        size = kubo.count("cat", cid)
        if size != archive.size:
            raise SystemExit(f"bench: ipfs cat returned {size} bytes of {archive.size}")
        return up, clock.taken()

    return await asyncio.to_thread(both)


def _sha256(archive: Archive) -> bytes:
    with archive.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
