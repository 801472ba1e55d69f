"""Open results as a requester: download, unpack, compare with the chain."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import grpc
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.result_archive import folder_result_digest
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc

from workerpool_devnet.errors import DevnetError


@dataclass(frozen=True)
class OpenedResult:
    """An unpacked archive; `matches` is true when its digest is the digest on chain."""

    folder: Path
    files: tuple[str, ...]
    digest: str
    matches: bool


async def open_result(proxy_target: str, task_id: TaskId, on_chain: ChainTask, folder: Path) -> OpenedResult:
    """Download the archive of a task, unpack it into `folder` and compute its digest.

    Raises `DevnetError` when the download fails or the bytes do not match the declared hash.
    """
    archive = await _download(proxy_target, task_id)
    return await asyncio.to_thread(_unpack, archive, on_chain, folder)


def _unpack(archive: bytes, on_chain: ChainTask, folder: Path) -> OpenedResult:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        packed.extractall(folder)
        files = tuple(sorted(packed.namelist()))
    digest = folder_result_digest(folder)
    return OpenedResult(folder, files, to_hex(digest), digest == on_chain.result_digest)


async def _download(proxy_target: str, task_id: TaskId) -> bytes:
    content, declared = bytearray(), ""
    async with grpc.aio.insecure_channel(proxy_target) as channel:
        stub = result_service_pb2_grpc.ResultServiceStub(channel)
        try:
            async for part in stub.Download(result_service_pb2.DownloadRequest(task_id=task_id), timeout=60):
                if part.WhichOneof("part") == "header":
                    declared = part.header.sha256
                content += part.chunk
        except grpc.aio.AioRpcError as error:
            raise DevnetError(
                f"the result of task {task_id} cannot be downloaded: {error.details()}"
            ) from error
    if declared != "0x" + hashlib.sha256(content).hexdigest():
        raise DevnetError(f"the result of task {task_id} does not match its SHA-256 hash: download it again")
    return bytes(content)
