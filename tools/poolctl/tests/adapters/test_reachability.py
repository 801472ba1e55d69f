"""Ports that are tried: open, closed, unknown."""

import asyncio

import pytest
from poolctl.adapters.reachability import probe_port, split_target
from workerpool_devnet.processes.ports import free_service_ports


async def test_an_open_port_is_open() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        look = await probe_port(f"http://127.0.0.1:{port}")
    assert look.is_open
    assert look.address == f"127.0.0.1:{port}"


async def test_a_closed_port_says_why() -> None:
    look = await probe_port(f"127.0.0.1:{free_service_ports().http}")
    assert not look.is_open
    assert "connection refused" in look.problem


async def test_an_unknown_name_is_named() -> None:
    look = await probe_port("http://no-such-host.invalid:80")
    assert look.problem == "the name no-such-host.invalid is unknown here"


async def test_a_target_without_a_port_is_a_problem_of_the_setting() -> None:
    assert "expected host:port" in (await probe_port("nothing")).problem


@pytest.mark.parametrize(
    ("target", "expected"),
    [("http://h:1", ("h", 1)), ("https://h", ("h", 443)), ("[::1]:2", ("::1", 2)), ("h:3", ("h", 3))],
)
def test_targets_are_split(target: str, expected: tuple[str, int]) -> None:
    assert split_target(target) == expected
