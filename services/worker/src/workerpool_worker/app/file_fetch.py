"""Fetches one file of a task from the first of its sources that has it."""

import asyncio
from pathlib import Path

from workerpool_kit.logs import get_logger

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.fetching.limits import TaskQuota
from workerpool_worker.domain.fetching.sources import FileSource, WantedFile
from workerpool_worker.domain.fetching.urls import parse_url
from workerpool_worker.domain.fetching.verdict import verdict
from workerpool_worker.errors import ChecksumMismatch, DownloadFailed, ServerBusy, ServerDown

log = get_logger()


def gateways_to_ask(replicate: Replicate) -> tuple[str, ...]:
    """Return the operator's gateways in the order of attempts."""
    context = replicate.context
    return context.gateways.order(context.policy.ipfs_gateways, _now())


async def fetch_file(replicate: Replicate, file: WantedFile, target: Path, quota: TaskQuota) -> None:
    """Save a file from the first of its sources that has it, with the right content if that is known.

    Raises `DownloadFailed` (`ChecksumMismatch`) if the file is not available, `HostNetworkUnavailable` or
    `GatewaysBusy` if no gateway said anything about it, and the other errors of the downloader.
    """
    failures: list[tuple[FileSource, DownloadFailed]] = []
    for source in file.sources:
        try:
            await _fetch_verified(replicate, source, file.sha256, target, quota)
        except DownloadFailed as failure:
            failures.append((source, failure))
            if isinstance(failure, ServerDown | ServerBusy):
                _ask_last(replicate, source, failure)
            continue
        replicate.context.gateways.worked(source.gateway)
        # Another source has the file, so those before it lied or were in trouble.
        for passed_over, reason in failures:
            _ask_last(replicate, passed_over, reason)
        return
    raise verdict(failures)


async def _fetch_verified(
    replicate: Replicate, source: FileSource, sha256: str, target: Path, quota: TaskQuota
) -> None:
    digest = await replicate.context.downloader.fetch(
        source.url, target, quota, is_gateway=bool(source.gateway), is_ipfs=source.is_ipfs
    )
    if sha256 and digest != sha256:
        quota.give_back(await replicate.run_blocking(_remove, target))
        message = f"the SHA-256 of {parse_url(source.url)} is {digest}, not {sha256}"
        raise ChecksumMismatch(message, details={"sha256": digest})


def _ask_last(replicate: Replicate, source: FileSource, failure: DownloadFailed) -> None:
    if source.gateway:
        pause_s = replicate.context.gateways.failed(source.gateway, _now())
        if pause_s:
            log.warning("ipfs.gateway_failed", error=failure.message, asked_last_for_s=pause_s)


def _remove(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size


def _now() -> float:
    return asyncio.get_running_loop().time()
