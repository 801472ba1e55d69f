"""What the client of a Kubo node makes of its answers; the node is a server of these tests."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from workerpool_devnet.processes.ports import free_port
from workerpool_result_proxy.adapters.ipfs.ipfs_archives import IpfsArchives
from workerpool_result_proxy.adapters.ipfs.ipfs_content import KuboContent
from workerpool_result_proxy.adapters.ipfs.kubo import Kubo
from workerpool_result_proxy.app.ports import BytesMissing
from workerpool_result_proxy.errors import ContentIncomplete, ContentNotFound, StorageUnavailable

CONTENT = bytes(range(256)) * 40
CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
NOT_LOCAL = "block was not found locally (offline): ipld: could not find bafkrei"


class Node:
    """Answers like a node that has lost the block that starts at `lost_at`; `breaks` closes the connection there.

    An answer ends after `most` bytes.
    """

    def __init__(self) -> None:
        self.lost_at = len(CONTENT)
        self.breaks = False
        self.most = len(CONTENT)

    async def stat(self, _request: web.Request) -> web.Response:
        return web.json_response({"Hash": CID, "Size": len(CONTENT), "Type": "file"})

    async def cat(self, request: web.Request) -> web.StreamResponse:
        first, length = (int(request.query[name]) for name in ("offset", "length"))
        there = CONTENT[first : min(first + length, self.lost_at)]
        if self.breaks and not there:
            assert request.transport is not None
            request.transport.abort()
        if not there:
            return web.json_response({"Message": NOT_LOCAL, "Code": 0, "Type": "error"}, status=500)
        answer = web.StreamResponse()
        await answer.prepare(request)
        there = there[: self.most]
        for start in range(0, len(there), 300):
            await answer.write(there[start : start + 300])
        if self.breaks:
            assert request.transport is not None
            request.transport.abort()
        return answer


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Kubo]:
    app = web.Application()
    app.router.add_post("/api/v0/files/stat", node.stat)
    app.router.add_post("/api/v0/cat", node.cat)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    client = Kubo(f"http://127.0.0.1:{port}")
    yield client
    await client.close()
    await runner.cleanup()


async def test_a_complete_file_is_read_whole_and_in_part(client: Kubo) -> None:
    archives = IpfsArchives(client)
    for first, length in ((0, len(CONTENT)), (1, 700), (len(CONTENT), 0)):
        pieces = [piece async for piece in archives.read("0" * 25, first=first, length=length)]
        assert b"".join(pieces) == CONTENT[first : first + length]


async def test_what_a_node_sends_bit_by_bit_comes_in_large_pieces(client: Kubo) -> None:
    pieces = client.cat("/ipfs/x", first=0, length=len(CONTENT), piece_bytes=4_096)
    assert [len(piece) async for piece in pieces] == [4_096, 4_096, 2_048]


async def test_a_node_that_lacks_the_first_block_is_said_before_the_first_byte(
    client: Kubo, node: Node
) -> None:
    node.lost_at = 0
    with pytest.raises(BytesMissing, match="not found locally"):
        await anext(IpfsArchives(client).read("0" * 25, first=0, length=9))
    with pytest.raises(ContentIncomplete, match="another gateway"):
        await anext(KuboContent(client).read(CID, first=0, length=9))


async def test_an_answer_that_ends_too_early_is_never_a_shorter_file(client: Kubo, node: Node) -> None:
    """A node that meets a lost block has sent the status 200, and ends the answer as if it were complete."""
    node.lost_at = 1_000
    arrived = []
    with pytest.raises(BytesMissing, match="not found locally"):
        async for piece in IpfsArchives(client).read("0" * 25, first=0, length=len(CONTENT)):
            arrived.append(piece)
    assert b"".join(arrived) == CONTENT[:1_000]
    with pytest.raises(ContentIncomplete):
        async for _ in KuboContent(client).read(CID, first=0, length=len(CONTENT)):
            pass


async def test_a_short_answer_is_continued(client: Kubo, node: Node) -> None:
    node.most = 3_000
    pieces = client.cat("/ipfs/x", first=1, length=len(CONTENT) - 1, piece_bytes=4_096)
    assert b"".join([piece async for piece in pieces]) == CONTENT[1:]


async def test_an_answer_without_a_byte_is_not_asked_for_again(client: Kubo, node: Node) -> None:
    node.most = 0
    with pytest.raises(BytesMissing, match="9 bytes too early"):
        await anext(IpfsArchives(client).read("0" * 25, first=0, length=9))


async def test_a_connection_that_breaks_is_an_outage_and_no_loss(client: Kubo, node: Node) -> None:
    node.lost_at, node.breaks = 1_000, True
    with pytest.raises(StorageUnavailable):
        async for _ in IpfsArchives(client).read("0" * 25, first=0, length=len(CONTENT)):
            pass


async def test_an_entry_that_is_shorter_than_its_result_has_lost_bytes(client: Kubo) -> None:
    with pytest.raises(BytesMissing, match="too short"):
        await anext(IpfsArchives(client).read("0" * 25, first=0, length=len(CONTENT) + 1))


async def test_nonsense_is_no_content_id(client: Kubo) -> None:
    with pytest.raises(ContentNotFound, match="not a content id"):
        await KuboContent(client).find("nonsense")
