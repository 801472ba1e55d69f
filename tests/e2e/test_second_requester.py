"""A second requester in another process, which knows only devnet.json."""

import asyncio
import sys
from pathlib import Path

import pytest
from workerpool_devnet.devnet import Devnet

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_two_requesters_are_served_at_the_same_time(
    net: Devnet, requester: Requester, image: str, tmp_path: Path
) -> None:
    document = tmp_path / "devnet.json"
    net.write_document(document)
    first = await requester.buy("one", volume=3)

    client = await asyncio.create_subprocess_exec(
        sys.executable,
        Path(__file__).with_name("client_of_devnet_json.py"),
        document,
        image,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    second = await requester.buy("all", trust=5)
    await requester.follow(first + second)
    output, _ = await client.communicate()

    assert client.returncode == 0, output.decode()
    for task in first + second:
        assert (await requester.on_chain(task)).completed
