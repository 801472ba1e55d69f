"""A channel that follows its service: to the gRPC port that the HTTP port tells, and to new certificates."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from certificates import Authority, identity_of
from patience import PATIENCE_S
from structlog.testing import capture_logs
from workerpool_kit.grpc.client import open_channel, open_service
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.grpc.service_channel import ServiceChannel, target_told, told_target
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.tls.cleartext import CleartextRefused

from .echo import Echo


@pytest.fixture
async def http() -> AsyncIterator[HttpServer]:
    """The HTTP port of a service whose documented gRPC port, 10000 above it, is closed."""
    server = HttpServer(0, health=Health(), version="1.2.3", host="127.0.0.1")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def call(contract: Any) -> Callable[..., Any]:
    async def answered(channel: grpc.aio.Channel, text: str = "a") -> str:
        """Call until the service answers."""
        stub = contract.grpc.EchoServiceStub(channel)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return str((await stub.Unary(contract.pb2.Note(text=text), timeout=PATIENCE_S)).text)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                    await asyncio.sleep(0.02)

    return answered


async def test_version_tells_the_grpc_address(http: HttpServer) -> None:
    url = f"http://127.0.0.1:{http.port}"
    assert await told_target(url) is None
    http.tell_grpc(7)
    assert await told_target(url) == "127.0.0.1:7"
    http.tell_grpc(7, "https://grpc.pool.example")
    assert await told_target(url) == "https://grpc.pool.example:443"


async def test_a_service_that_does_not_answer_tells_nothing() -> None:
    assert await told_target("http://127.0.0.1:1") is None


@pytest.mark.parametrize(
    ("url", "told", "target"),
    [
        ("http://core:13000", "5000", "core:5000"),
        ("http://[::1]:13000", "5000", "[::1]:5000"),
        ("https://pool.example", "23000", "https://pool.example:23000"),
        ("https://pool.example", "https://grpc.example", "https://grpc.example:443"),
        ("http://core:13000", "other:1", "other:1"),
        ("https://pool.example", "other:1", None),
        ("http://core:13000", "", None),
        ("http://core:13000", "0", None),
        ("http://core:13000", "99999", None),
        ("http://core:13000", "ftp://x:1", None),
        ("http://core:13000", "\u0663", None),
    ],
)
def test_what_a_service_tells_is_read_with_care(url: str, told: str, target: str | None) -> None:
    """From TLS nothing leads to a target without."""
    assert target_told(url, told) == target


async def test_a_service_with_a_grpc_port_of_its_own_is_found(
    contract: Any, serve: Any, http: HttpServer, call: Any
) -> None:
    server = await serve(Echo(contract))
    http.tell_grpc(server.port)
    async with open_service(f"http://127.0.0.1:{http.port}") as channel:
        assert await call(channel) == ":a"
        assert channel.target == f"127.0.0.1:{server.port}"


async def test_a_service_that_moves_is_found_again(
    contract: Any, serve: Any, http: HttpServer, call: Any
) -> None:
    first = await serve(Echo(contract))
    http.tell_grpc(first.port)
    async with open_service(f"http://127.0.0.1:{http.port}") as channel:
        assert await call(channel) == ":a"
        await first.stop(0)
        second = await serve(Echo(contract))
        http.tell_grpc(second.port)
        assert await call(channel, "b") == ":b"


async def test_all_arities_follow(contract: Any, serve: Any, http: HttpServer, call: Any) -> None:
    server = await serve(Echo(contract))
    http.tell_grpc(server.port)
    note = contract.pb2.Note
    async with open_service(f"http://127.0.0.1:{http.port}") as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        await call(channel)
        await channel.channel_ready()
        assert channel.get_state() is grpc.ChannelConnectivity.READY
        assert [n.count async for n in stub.Fan(note(count=3))] == [0, 1, 2]
        assert (await stub.Collect(iter([note(text="a"), note(text="b")]))).text == "ab"
        assert [n.text async for n in stub.Chat(iter([note(text="x")]))] == [":x"]


async def test_a_target_that_the_operator_sets_is_kept(contract: Any, serve: Any, http: HttpServer) -> None:
    server = await serve(Echo(contract))
    http.tell_grpc(server.port)
    async with open_service(f"http://127.0.0.1:{http.port}", target="127.0.0.1:1") as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await contract.grpc.EchoServiceStub(channel).Unary(
                contract.pb2.Note(), timeout=1, wait_for_ready=True
            )
        assert channel.target == "127.0.0.1:1"
    async with open_service("http://nowhere.invalid:1", target=f"127.0.0.1:{server.port}") as channel:
        answer = await contract.grpc.EchoServiceStub(channel).Unary(
            contract.pb2.Note(text="a"), timeout=PATIENCE_S
        )
        assert answer.text == ":a"


async def test_a_told_address_that_is_dead_leads_back_to_the_documented_one(
    contract: Any, serve: Any, call: Any
) -> None:
    """A reverse proxy that routes gRPC may stand before a service that only knows its own port."""
    server = await serve(Echo(contract))

    async def ask(_url: str) -> str | None:
        return "127.0.0.1:1"

    opened: list[str] = []

    def open_to(target: str) -> grpc.aio.Channel:
        target = target.removeprefix("https://")
        opened.append(target)
        # At first the documented address is dead too.
        return open_channel("127.0.0.1:1" if len(opened) == 1 else target, own_subchannel=True)

    async with ServiceChannel(
        f"https://127.0.0.1:{server.port}", lambda target: open_to(_plain(target)), lookup=ask
    ) as channel:
        assert await call(channel) == ":a"
    assert opened[0] == opened[2] == f"127.0.0.1:{server.port}"


def _plain(target: str) -> str:
    return target.removeprefix("https://")


async def test_credentials_are_not_sent_to_a_told_address_without_tls(http: HttpServer) -> None:
    http.tell_grpc(1, "stranger.example:23000")
    with capture_logs() as logs:
        async with open_service(f"http://127.0.0.1:{http.port}", basic=("pool", "word")) as channel:
            channel.get_state(try_to_connect=True)
            async with asyncio.timeout(PATIENCE_S):
                while not any(line["event"] == "service.address_refused" for line in logs):
                    await asyncio.sleep(0.02)
            assert channel.target != "stranger.example:23000"
    with pytest.raises(CleartextRefused):
        open_channel("stranger.example:23000", basic=("pool", "word"))


async def test_new_certificates_are_presented_and_calls_in_flight_continue(
    contract: Any, serve: Any, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with identity_of(authority.issue(mutual=True)) as own:
        server: GrpcServer = await serve(Echo(contract))
        async with open_service(f"https://localhost:{server.port}") as channel:
            stub = contract.grpc.EchoServiceStub(channel)
            stream = stub.Chat()
            await stream.write(contract.pb2.Note(text="x"))
            assert (await stream.read()).text == ":x"
            before = channel.current()
            authority.issue()
            assert own.refresh()
            assert channel.current() is not before
            assert (await stub.Unary(contract.pb2.Note(text="a"), timeout=PATIENCE_S)).text == ":a"
            await stream.write(contract.pb2.Note(text="y"))
            assert (await stream.read()).text == ":y"
            await stream.done_writing()
