"""The gateway serves a limited number of readers, and says when there is no node."""

from collections.abc import AsyncIterator

import pytest
from workerpool_result_proxy.app.gateway import Gateway
from workerpool_result_proxy.app.ports import ContentFile
from workerpool_result_proxy.errors import GatewayBusy, IpfsNotConfigured


class Endless:
    """Content without end."""

    async def find(self, path: str) -> ContentFile:
        return ContentFile(path, 1 << 40)

    async def read(self, cid: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        while True:
            yield b"x"


async def test_without_a_node_the_operators_variable_is_named() -> None:
    with pytest.raises(IpfsNotConfigured, match="IEXEC_IPFS_URL"):
        await Gateway(None).find("cid")


async def test_more_readers_than_the_limit_are_refused_until_one_ends() -> None:
    gateway = Gateway(Endless(), readers=1)
    found = await gateway.find("cid")
    first = gateway.read(found, first=0, length=9)
    assert await anext(first) == b"x"
    with pytest.raises(GatewayBusy):
        await gateway.find("cid")
    with pytest.raises(GatewayBusy):
        await anext(gateway.read(found, first=0, length=9))
    await first.aclose()  # type: ignore[attr-defined]
    assert await gateway.find("cid")
