"""One archive up or down: through the proxy, and straight into the store and out of it."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import time
from collections.abc import Callable, Sequence

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


async def proxy_up(pool: ResultPool, proxy: Proxy, archive: Archive) -> tuple[float, str]:
    """Upload with the worker's own client; return the seconds and the location of the result."""
    seconds, (location,) = await proxy_up_at_once(pool, proxy, [archive])
    return seconds, location


async def proxy_up_at_once(
    pool: ResultPool, proxy: Proxy, archives: Sequence[Archive]
) -> tuple[float, list[str]]:
    """Upload all archives at once with the worker's own client; return the seconds and the locations.

    Their hashes, like their reveals, are made before the time starts.
    """
    store = GrpcResultStore(pool.worker.sign_message_hash)
    try:
        # As a worker does while the chain takes contribution and reveal.
        await asyncio.gather(*(store.prepare(archive.path) for archive in archives))
        authorizations = [await asyncio.to_thread(pool.reveal, archive.digest) for archive in archives]
        started = time.perf_counter()
        links = await asyncio.gather(
            *(
                store.upload(proxy.url, authorization, archive.path, to_hex(archive.digest))
                for archive, authorization in zip(archives, authorizations, strict=True)
            )
        )
        seconds = time.perf_counter() - started
    finally:
        await store.close()
    return seconds, [ResultLink.decode(link).location for link in links]


async def proxy_down(proxy: Proxy, location: str, archive: Archive) -> float:
    """Download by HTTP, as requesters do; return the seconds. The bytes are verified outside of the time.

    The client reads into one buffer, so that it takes as little of the processor as it can from the proxy.
    """

    def down() -> tuple[float, int]:
        size, buffer = 0, bytearray(_PIECE)
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", proxy.ports.http)
        try:
            connection.request("GET", location)
            answer = connection.getresponse()
            while count := answer.readinto(buffer):
                size += count
        finally:
            connection.close()
        return time.perf_counter() - started, size

    seconds, size = await asyncio.to_thread(down)
    if size != archive.size:
        raise SystemExit(f"bench: {size} bytes came back of {archive.size}")
    return seconds


async def verify(proxy: Proxy, location: str, archive: Archive) -> None:
    """Compare the stored bytes with the archive's."""
    digest = hashlib.sha256()
    async with aiohttp.ClientSession() as session, session.get(proxy.url + location) as answer:
        async for piece in answer.content.iter_chunked(_PIECE):
            digest.update(piece)
    if digest.digest() != await asyncio.to_thread(_sha256, archive):
        raise SystemExit("bench: other bytes came back than were stored")


async def mongo_up_and_down(pool: ResultPool, archive: Archive, between: Mark) -> tuple[float, float]:
    """Return the seconds that PyMongo's GridFS takes, with the durability of the proxy: majority and journal."""

    def both() -> tuple[float, float]:
        with MongoClient[dict[str, object]](pool.database.uri, w="majority", journal=True) as client:
            bucket = gridfs.GridFSBucket(client["direct"], chunk_size_bytes=_PIECE)
            started = time.perf_counter()
            with archive.path.open("rb") as source:
                stored = bucket.upload_from_stream("archive", source)
            up, size = time.perf_counter() - started, 0
            between()
            started = time.perf_counter()
            with bucket.open_download_stream(stored) as content:
                while piece := content.read(_PIECE):
                    size += len(piece)
            down = time.perf_counter() - started
            client.drop_database("direct")
        if size != archive.size:
            raise SystemExit(f"bench: PyMongo returned {size} bytes of {archive.size}")
        return up, down

    return await asyncio.to_thread(both)


async def ipfs_up_and_down(pool: ResultPool, archive: Archive, between: Mark) -> tuple[float, float]:
    """Return the seconds that `ipfs add` and `ipfs cat` take."""
    kubo = pool.kubo
    if kubo is None:
        raise ValueError("this pool has no IPFS node")

    def both() -> tuple[float, float]:
        started = time.perf_counter()
        cid = kubo.run("add", "-Q", "--cid-version=1", "--pin=false", str(archive.path)).decode().strip()
        up = time.perf_counter() - started
        between()
        started = time.perf_counter()
        size = kubo.count("cat", cid)
        if size != archive.size:
            raise SystemExit(f"bench: ipfs cat returned {size} bytes of {archive.size}")
        return up, time.perf_counter() - started

    return await asyncio.to_thread(both)


def _sha256(archive: Archive) -> bytes:
    with archive.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
