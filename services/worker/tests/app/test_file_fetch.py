"""One file from several sources: the next is asked when one fails, and the verdict names whose failure it is."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from workerpool_worker.app.file_fetch import fetch_file, gateways_to_ask
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.fetching.limits import TaskQuota
from workerpool_worker.domain.fetching.sources import FileSource, WantedFile
from workerpool_worker.errors import (
    ChecksumMismatch,
    DownloadFailed,
    GatewaysBusy,
    HostNetworkUnavailable,
    ServerBusy,
    ServerDown,
    WorkerError,
)

from services.worker.tests.doubles.downloader import FakeDownloader
from services.worker.tests.harness.context import POLICY, make_context, make_replicate

A, B, C = GATEWAYS = ("https://a.test", "https://b.test", "https://c.test")
OWN = "https://own.test/ipfs/x"
SHA256 = "0x" + hashlib.sha256(b"data").hexdigest()
DOWN, BUSY = ServerDown("connection refused"), ServerBusy("the server answered 503")
MISSING, SILENT = DownloadFailed("the server answered 404"), DownloadFailed("no answer within 60 s")


def url(gateway: str) -> str:
    return f"{gateway}/ipfs/x"


def file_at(*gateways: str, own: str = "", sha256: str = SHA256) -> WantedFile:
    sources = [FileSource(own, is_ipfs=True)] if own else []
    sources += [FileSource(url(gateway), gateway, is_ipfs=True) for gateway in gateways]
    return WantedFile(tuple(sources), sha256)


def replicate_with(folder: Path, downloader: FakeDownloader) -> Replicate:
    policy = replace(POLICY, ipfs_gateways=GATEWAYS)
    return make_replicate(make_context(folder, downloader=downloader, policy=policy))


async def fetch(
    folder: Path, downloader: FakeDownloader, file: WantedFile, quota: TaskQuota | None = None
) -> Replicate:
    replicate = replicate_with(folder, downloader)
    await fetch_file(replicate, file, folder / "file", quota or TaskQuota(1_000))
    return replicate


async def test_the_first_source_that_has_the_file_ends_the_search(tmp_path: Path) -> None:
    downloader = FakeDownloader({url(B): b"data", url(C): b"data"})
    await fetch(tmp_path, downloader, file_at(A, B, C, own=OWN))
    assert downloader.requested == [OWN, url(A), url(B)]
    assert (tmp_path / "file").read_bytes() == b"data"


@pytest.mark.parametrize("lie", [b"<html>busy</html>", b"dat", b"data and more", b""])
async def test_a_gateway_with_wrong_bytes_is_skipped_and_costs_no_quota(tmp_path: Path, lie: bytes) -> None:
    """An error page with status 200, too few bytes, too many, none."""
    downloader, quota = FakeDownloader({url(A): lie, url(B): b"data"}), TaskQuota(20)
    replicate = await fetch(tmp_path, downloader, file_at(A, B), quota)
    assert (tmp_path / "file").read_bytes() == b"data"
    assert quota.fits(16)
    assert not quota.fits(17)
    assert replicate.context.gateways.order(GATEWAYS, 0.0)[-1] == A


@pytest.mark.parametrize("failure", [DOWN, BUSY])
async def test_a_failing_gateway_is_tried_last_by_the_next_tasks(
    tmp_path: Path, failure: DownloadFailed
) -> None:
    downloader = FakeDownloader({url(B): b"data"}, failures={url(A): failure})
    replicate = await fetch(tmp_path, downloader, file_at(A, B))
    assert replicate.context.gateways.order((A, B, C), 0.0) == (B, C, A)


async def test_a_failing_gateway_is_remembered_although_no_other_has_the_file(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, FakeDownloader(failures={url(A): DOWN}))
    with pytest.raises(DownloadFailed, match="404"):
        await fetch_file(replicate, file_at(A, B), tmp_path / "file", TaskQuota(1_000))
    assert replicate.context.gateways.order((A, B), 0.0) == (B, A)


async def test_no_gateway_is_blamed_for_a_content_that_none_has(tmp_path: Path) -> None:
    """A requester could otherwise change the order of gateways for all."""
    replicate = replicate_with(tmp_path, FakeDownloader({url(A): b"other"}))
    with pytest.raises(ChecksumMismatch):
        await fetch_file(replicate, file_at(A, B), tmp_path / "file", TaskQuota(1_000))
    assert replicate.context.gateways.order((A, B), 0.0) == (A, B)


async def test_a_gateway_that_works_again_is_no_longer_last(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, FakeDownloader({url(A): b"data"}))
    replicate.context.gateways.failed(A, 1e9)
    await fetch_file(replicate, file_at(A), tmp_path / "file", TaskQuota(1_000))
    assert replicate.context.gateways.order((A, B), 0.0) == (A, B)


async def test_the_order_of_attempts_follows_recorded_failures(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, FakeDownloader())
    configured = replicate.context.policy.ipfs_gateways
    assert gateways_to_ask(replicate) == configured
    replicate.context.gateways.failed(configured[0], 1e9)
    assert gateways_to_ask(replicate) == (*configured[1:], configured[0])


async def test_a_file_without_a_known_hash_is_accepted_unverified(tmp_path: Path) -> None:
    await fetch(tmp_path, FakeDownloader({url(A): b"anything"}), file_at(A, sha256=""))
    assert (tmp_path / "file").read_bytes() == b"anything"


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((MISSING, MISSING), DownloadFailed),
        ((SILENT, SILENT), DownloadFailed),
        ((DOWN, MISSING), DownloadFailed),
        ((MISSING, DOWN), DownloadFailed),
        ((BUSY, SILENT), DownloadFailed),
        ((b"other", DOWN), ChecksumMismatch),
        ((b"other", MISSING), ChecksumMismatch),
        ((DOWN, DOWN), HostNetworkUnavailable),
        ((BUSY, BUSY), GatewaysBusy),
        ((DOWN, BUSY), GatewaysBusy),
    ],
)
@pytest.mark.parametrize("own", ["", OWN])
async def test_the_verdict(
    tmp_path: Path, answers: tuple[DownloadFailed | bytes, ...], error: type[WorkerError], own: str
) -> None:
    """A gateway's word about the file is the requester's matter. Without a word, the gateways are in trouble.

    What the requester's own gateway says changes nothing: each requester chooses one.
    """
    downloader = FakeDownloader()
    for gateway, answer in zip((A, B), answers, strict=True):
        if isinstance(answer, bytes):
            downloader.files[url(gateway)] = answer
        else:
            downloader.failures[url(gateway)] = answer
    with pytest.raises(error) as raised:
        await fetch(tmp_path, downloader, file_at(A, B, own=own))
    assert type(raised.value) is error
    assert list(tmp_path.glob("file*")) == []


@pytest.mark.parametrize("failure", [DOWN, BUSY, MISSING])
async def test_a_failure_of_the_requesters_only_server_is_the_requesters_fault(
    tmp_path: Path, failure: DownloadFailed
) -> None:
    with pytest.raises(DownloadFailed) as raised:
        await fetch(tmp_path, FakeDownloader(failures={OWN: failure}), file_at(own=OWN))
    assert raised.value is failure


async def test_without_a_gateway_the_host_is_at_fault(tmp_path: Path) -> None:
    with pytest.raises(HostNetworkUnavailable, match="set WORKERPOOL_IPFS_GATEWAYS"):
        await fetch(tmp_path, FakeDownloader(), file_at())


async def test_an_outage_of_the_host_ends_the_search(tmp_path: Path) -> None:
    downloader = FakeDownloader(online=False)
    with pytest.raises(HostNetworkUnavailable, match="DNS"):
        await fetch(tmp_path, downloader, file_at(A, B))
    assert downloader.requested == [url(A)]
