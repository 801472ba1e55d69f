"""Answers of gateways with status 200 that are no file, told by their headers."""

import socket
from ipaddress import ip_address
from pathlib import Path

import pytest
from multidict import CIMultiDict
from workerpool_worker.adapters.http_downloads.gateway_answers import check_gateway_answer
from workerpool_worker.domain.fetching.addresses import IpAddress
from workerpool_worker.errors import DownloadFailed, ServerBusy, ServerDown

from services.worker.tests.adapters.http_downloads.conftest import Fetch
from services.worker.tests.doubles.file_server import Exchange, FileServer

CID = "bafybeie5nqv6kd3qnfjupgvz34woh3oksc3iau6abmyajn7qvtf6d2ho34"
PAGE = {"Content-Type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/octet-stream", "ETag": '"anything"'},
        PAGE | {"X-Ipfs-Path": f"/ipfs/{CID}"},
        PAGE | {"x-ipfs-roots": CID},
        PAGE | {"ETag": f'"{CID}"'},
        PAGE | {"ETag": f'W/"{CID}"'},
    ],
)
def test_a_content_is_accepted(headers: dict[str, str]) -> None:
    check_gateway_answer(CIMultiDict(headers))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (PAGE, "web page of its own"),
        (PAGE | {"ETag": '"5f3c-1"'}, "web page of its own"),
        ({"Content-Type": "TEXT/HTML"}, "web page of its own"),
        ({"Content-Type": "application/xhtml+xml"}, "web page of its own"),
        (PAGE | {"ETag": f'"DirIndex-2b567f6r5vvdg_CID-{CID}"', "X-Ipfs-Path": "/ipfs/x"}, "it is a folder"),
        ({"ETag": f'W/"DirIndex-2b567f6r5vvdg_CID-{CID}"'}, "it is a folder"),
    ],
)
def test_another_answer_is_refused(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(DownloadFailed, match=reason):
        check_gateway_answer(CIMultiDict(headers))


async def test_a_page_is_refused_only_from_a_gateway(fetch: Fetch, files: FileServer, tmp_path: Path) -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.reply(200, b"<html>", Content_Type="text/html")

    url = files.serves("/x", page)
    with pytest.raises(
        DownloadFailed, match=f"{url} cannot be downloaded: the gateway answered with a web page"
    ):
        await fetch(url, is_gateway=True, is_ipfs=True)
    assert list(tmp_path.iterdir()) == []
    await fetch(url)
    assert (tmp_path / "file").read_bytes() == b"<html>"


@pytest.mark.parametrize(
    ("status", "error", "requests"),
    [(404, DownloadFailed, 1), (504, DownloadFailed, 1), (500, DownloadFailed, 3), (503, ServerBusy, 3)],
)
async def test_a_gateways_status_shows_who_is_at_fault(
    fetch: Fetch, files: FileServer, status: int, error: type[DownloadFailed], requests: int
) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(status)

    with pytest.raises(DownloadFailed, match=f"answered {status}") as failed:
        await fetch(files.serves("/x", answer), is_gateway=True, is_ipfs=True)
    assert type(failed.value) is error
    assert len(files.exchanges) == requests


async def loopback_or_nothing(host: str) -> list[IpAddress]:
    """Look up the only name of a gateway."""
    if host == "gateway.test":
        return [ip_address("127.0.0.1")]
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


@pytest.mark.parametrize(
    ("location", "error"),
    [("http://down.test/x", DownloadFailed), (f"http://{CID}.ipfs.gateway.test/", ServerDown)],
    ids=["another server", "a name below the gateway's"],
)
async def test_an_outage_behind_a_redirect(
    fetch: Fetch, files: FileServer, location: str, error: type[DownloadFailed]
) -> None:
    """The publisher of a content can let gateways redirect to any server. A name below its own is the gateway's."""

    async def moved(exchange: Exchange) -> None:
        await exchange.reply(302, Location=location)

    files.serves("/x", moved)
    with pytest.raises(DownloadFailed, match="its host name does not exist") as failed:
        await fetch(f"http://gateway.test:{files.port}/x", is_ipfs=True, lookup=loopback_or_nothing)
    assert type(failed.value) is error
