"""Datasets and input files from the gateway of a real IPFS node (Kubo), in every spelling of the market."""

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

import pytest
import stamina
from workerpool_devnet.processes.kubo import GATEWAY_NAME, Kubo
from workerpool_poco.protocol.encoding import multibase
from workerpool_poco.protocol.encoding.cid import DAG_PB, RAW, Cid
from workerpool_poco.protocol.encoding.multiaddr import readable_multiaddr
from workerpool_poco.protocol.encoding.varint import write_varint
from workerpool_worker.adapters.http_downloads.downloader import HttpDownloader
from workerpool_worker.app.file_fetch import fetch_file, gateways_to_ask
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.fetching.addresses import AllowedHosts, IpAddress
from workerpool_worker.domain.fetching.limits import DownloadLimits, TaskQuota
from workerpool_worker.domain.fetching.sources import dataset_file, input_file
from workerpool_worker.errors import DownloadFailed

from services.worker.tests.harness.context import POLICY, make_context, make_replicate

pytestmark = pytest.mark.soak

LARGE_BYTES = 8 << 20
"""A content of many blocks."""
FORMS = (
    "/ipfs/{}",
    "/p2p/{}",
    "ipfs://{}",
    "ipfs://ipfs/{}",
    "ipfs:/ipfs/{}",
    "dweb:/ipfs/{}",
    "fs:/ipfs/{}",
    "{}",
)
IN_FOLDER = "a folder/data é.csv"
MULTIADDRESS = write_varint(421)
"""The protocol `ipfs` at the start of a binary multiaddress."""


@dataclass(frozen=True)
class Stored:
    """A file in the node."""

    cid: Cid
    content: bytes
    below: str = ""
    """The file's path below the content, with a slash."""

    @property
    def checksum(self) -> str:
        return "0x" + hashlib.sha256(self.content).hexdigest()

    def spellings(self) -> list[str]:
        """Return the content id in every form, in every base that others write."""
        bases = [str(self.cid)]
        if self.cid.version:
            bases += [str(self.cid).upper(), *(multibase.encode(self.cid.encode(), base) for base in "kz")]
        return [form.format(base) + self.below for form in FORMS for base in bases]


@pytest.fixture(scope="module")
def stored(kubo: Kubo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stored]:
    """Files in the node: of both versions of content ids, as one raw block, of many blocks, and in a folder."""
    folder = tmp_path_factory.mktemp("content") / "root"
    (folder / IN_FOLDER).parent.mkdir(parents=True)
    (folder / IN_FOLDER).write_bytes(in_folder := os.urandom(2_000))

    def add(content: bytes, *options: str, below: str = "") -> Stored:
        return Stored(
            Cid.parse(kubo.run("add", "-Q", *options, stdin=content).decode().strip()), content, below
        )

    tree = kubo.run("add", "-Q", "-r", "--cid-version=1", str(folder)).decode().strip()
    return {
        "CIDv0": add(os.urandom(1_000)),
        "raw codec": add(os.urandom(1_000), "--cid-version=1"),
        "CIDv1": add(os.urandom(LARGE_BYTES), "--cid-version=1"),
        "folder": Stored(Cid.parse(tree), in_folder, f"/{IN_FOLDER}"),
    }


Fetch = Callable[..., Awaitable[Replicate]]


@pytest.fixture
async def fetch(kubo: Kubo, tmp_path: Path) -> AsyncIterator[Fetch]:
    """Fetch a dataset (with its checksum) or an input file into `file`, by gateways of the operator."""
    allowed = AllowedHosts.parse(["127.0.0.1/32", GATEWAY_NAME, f".{GATEWAY_NAME}"])

    async def lookup(host: str) -> list[IpAddress]:
        if not f".{host}".endswith(f".{GATEWAY_NAME}"):
            raise socket.gaierror(socket.EAI_NONAME, host)
        return [ip_address("127.0.0.1")]

    downloader = HttpDownloader(DownloadLimits(free_disk_bytes=0, allowed=allowed), lookup=lookup)

    async def fetch(text: str, checksum: str | None = None, *, gateways: tuple[str, ...] = ()) -> Replicate:
        policy = replace(POLICY, ipfs_gateways=gateways or (kubo.gateway_url,))
        replicate = make_replicate(make_context(tmp_path, downloader=downloader, policy=policy))
        asked = gateways_to_ask(replicate)
        wanted = input_file(text, asked) if checksum is None else dataset_file(text, checksum, asked)
        (tmp_path / "file").unlink(missing_ok=True)
        with stamina.set_testing(True, attempts=3):
            await fetch_file(replicate, wanted, tmp_path / "file", TaskQuota(1 << 30))
        return replicate

    yield fetch
    await downloader.close()


def test_the_node_has_each_kind_of_content(stored: dict[str, Stored]) -> None:
    kinds = {name: (each.cid.version, each.cid.codec) for name, each in stored.items()}
    assert kinds == {"CIDv0": (0, DAG_PB), "raw codec": (1, RAW), "CIDv1": (1, DAG_PB), "folder": (1, DAG_PB)}


@pytest.mark.parametrize("kind", ["CIDv0", "raw codec", "CIDv1", "folder"])
async def test_every_spelling_fetches_the_content(
    stored: dict[str, Stored], fetch: Fetch, tmp_path: Path, kind: str
) -> None:
    wanted = stored[kind]
    for text in wanted.spellings():
        await fetch(text, wanted.checksum)
        assert (tmp_path / "file").read_bytes() == wanted.content, text
    await fetch(wanted.spellings()[0])
    assert (tmp_path / "file").read_bytes() == wanted.content, "as an input file"


@pytest.mark.parametrize("kind", ["CIDv0", "raw codec", "CIDv1"])
async def test_a_binary_multiaddress_fetches_the_content(
    stored: dict[str, Stored], fetch: Fetch, tmp_path: Path, kind: str
) -> None:
    """The SDK registers the multihash without version and codec; some tools keep them."""
    wanted = stored[kind]
    whole = wanted.cid.encode()
    multihash = whole[2:] if wanted.cid.version else whole
    for part in {multihash, whole}:
        text = readable_multiaddr(MULTIADDRESS + write_varint(len(part)) + part)
        await fetch(text, wanted.checksum)
        assert (tmp_path / "file").read_bytes() == wanted.content, text


@pytest.mark.parametrize("kind", ["CIDv0", "raw codec", "CIDv1", "folder"])
async def test_urls_of_other_gateways_fetch_the_content(
    kubo: Kubo, stored: dict[str, Stored], fetch: Fetch, tmp_path: Path, kind: str
) -> None:
    """By path, by path of a gateway that redirects to a name of the content's own, and by that name."""
    wanted = stored[kind]
    version_1 = replace(wanted.cid, version=1)
    below = wanted.below.replace(" ", "%20")
    for url in (
        f"{kubo.gateway_url}/ipfs/{wanted.cid}{below}",
        f"http://{GATEWAY_NAME}:{kubo.gateway_port}/ipfs/{wanted.cid}{below}",
        f"http://{version_1}.ipfs.{GATEWAY_NAME}:{kubo.gateway_port}{below or '/'}",
    ):
        # The operator's own gateway has nothing, so the URL itself is used.
        await fetch(url, wanted.checksum, gateways=("http://127.0.0.1:1",))
        assert (tmp_path / "file").read_bytes() == wanted.content, url


async def test_an_unreachable_gateway_is_tried_last_by_the_next_task(
    kubo: Kubo, stored: dict[str, Stored], fetch: Fetch
) -> None:
    wanted, gateways = stored["CIDv1"], ("http://127.0.0.1:1", kubo.gateway_url)
    replicate = await fetch(f"ipfs://{wanted.cid}", wanted.checksum, gateways=gateways)
    assert gateways_to_ask(replicate) == (kubo.gateway_url, "http://127.0.0.1:1")


async def test_a_content_that_the_node_lacks_and_a_folder_are_no_file(
    stored: dict[str, Stored], fetch: Fetch
) -> None:
    lacking = replace(stored["raw codec"].cid, digest=hashlib.sha256(b"lacking").digest())
    for text in (f"/ipfs/{lacking}", f"/ipfs/{stored['folder'].cid}"):
        with pytest.raises(DownloadFailed):
            await fetch(text)


async def test_a_broken_transfer_continues_where_it_ended(
    kubo: Kubo, stored: dict[str, Stored], fetch: Fetch, tmp_path: Path
) -> None:
    wanted = stored["CIDv1"]
    async with cutting(kubo.gateway_port, [LARGE_BYTES // 3, LARGE_BYTES // 3]) as (gateway, passed):
        await fetch(f"ipfs://{wanted.cid}", wanted.checksum, gateways=(gateway,))
    assert (tmp_path / "file").read_bytes() == wanted.content
    assert len(passed) == 3
    assert sum(passed) < LARGE_BYTES + LARGE_BYTES // 3, "it was not fetched again from its start"


@asynccontextmanager
async def cutting(port: int, cuts: list[int]) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve a gateway at a port whose first connections are cut after some bytes each.

    Yield its URL, and the bytes that each connection passed on.
    """
    passed: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", port)
        number, left = len(passed), cuts.pop(0) if cuts else None
        passed.append(0)

        async def ask() -> None:
            while data := await reader.read(1 << 16):
                questions.write(data)

        asking = asyncio.create_task(ask())
        try:
            while left != 0 and (data := await answers.read(1 << 16)):
                if left is not None:
                    data = data[:left]
                    left -= len(data)
                passed[number] += len(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # The downloader has what it wanted.
        finally:
            asking.cancel()
            questions.close()
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", passed
