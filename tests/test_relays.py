"""A relay forwards both directions, and can be cut, hung and pointed elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from patience import PATIENCE_S
from relays import Relay


@pytest.fixture
async def echo(tmp_path: Path) -> AsyncIterator[Path]:
    """A server that answers each line, and the end of its input with a last line."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.write(b"end\n")
        writer.close()

    path = tmp_path / "echo"
    async with await asyncio.start_unix_server(answer, path):
        yield path


async def said(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readline(), PATIENCE_S)


async def test_both_directions_are_forwarded_to_their_ends(echo: Path, tmp_path: Path) -> None:
    async with Relay(tmp_path / "relay", echo).running():
        reader, writer = await asyncio.open_unix_connection(tmp_path / "relay")
        writer.write(b"one\n")
        assert await said(reader) == b"one\n"
        writer.write_eof()
        assert [await said(reader), await said(reader)] == [b"end\n", b""]
        writer.close()


async def test_a_cut_closes_open_connections_and_refuses_new_ones(echo: Path, tmp_path: Path) -> None:
    relay = Relay(tmp_path / "relay", echo)
    await relay.start()
    reader, writer = await asyncio.open_unix_connection(tmp_path / "relay")
    writer.write(b"one\n")
    assert await said(reader) == b"one\n"
    await relay.cut()
    assert await said(reader) == b""
    writer.close()
    with pytest.raises(OSError, match="No such file"):
        await asyncio.open_unix_connection(tmp_path / "relay")


async def test_a_relay_that_hangs_keeps_connections_and_forwards_nothing(echo: Path, tmp_path: Path) -> None:
    async with Relay(tmp_path / "relay", echo).running() as relay:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "relay")
        relay.hang()
        writer.write(b"one\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.2)
        writer.close()


async def test_a_target_that_is_gone_closes_the_connection(echo: Path, tmp_path: Path) -> None:
    async with Relay(tmp_path / "relay", tmp_path / "gone").running() as relay:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "relay")
        assert await said(reader) == b""
        writer.close()
        await relay.point_to(echo)
        reader, writer = await asyncio.open_unix_connection(tmp_path / "relay")
        writer.write(b"one\n")
        assert await said(reader) == b"one\n"
        writer.close()
