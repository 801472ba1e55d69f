"""The health check of an image, against a real HTTP port."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from certificates import Authority, identity_of
from patience import PATIENCE_S
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.health import Health
from workerpool_kit.http import probe
from workerpool_kit.http.server import HttpServer

VARIABLE = "IEXEC_TEST_PORT"


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def side(health: Health) -> AsyncIterator[HttpServer]:
    side = HttpServer(0, health=health, version="1.2.3", host="127.0.0.1")
    await side.start()
    yield side
    await side.stop()


async def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run the check as a container does; return its exit code and its line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workerpool_kit.http.probe", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], **environment},
    )
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def test_a_healthy_process_passes(side: HttpServer, health: Health) -> None:
    health.set("database", up=True)
    assert await run(f"{VARIABLE}=1", **{VARIABLE: str(side.port)}) == (0, "UP\n")


async def test_each_component_that_is_down_is_named_with_its_problem(
    side: HttpServer, health: Health
) -> None:
    health.set("database", up=True)
    health.set("chain", up=False, problem="no answer of the node")
    health.set("logs", up=False)
    told = "OUT_OF_SERVICE; chain: no answer of the node; logs: OUT_OF_SERVICE\n"
    assert await run(f"{VARIABLE}={side.port}") == (1, told)
    assert await run(f"{VARIABLE}={side.port}", "--liveness") == (0, "UP\n")


async def test_a_process_with_tls_is_asked_with_tls(health: Health, tmp_path: Path) -> None:
    files = Authority(tmp_path).issue()
    with identity_of(files):
        side = HttpServer(0, health=health, version="1.2.3", host="127.0.0.1")
        await side.start()
        try:
            variables = {VARIABLE: str(side.port), "WORKERPOOL_TLS_CERTIFICATE": str(files.certificate)}
            assert await run(f"{VARIABLE}=1", **variables) == (0, "UP\n")
            assert (await run(f"{VARIABLE}={side.port}"))[0] == 1
        finally:
            await side.stop()


def test_no_process_fails() -> None:
    healthy, line = probe.ask(probe.Endpoint("127.0.0.1", free_port(), tls=False))
    assert not healthy
    assert line.startswith("no answer at 127.0.0.1 port ")


@pytest.mark.parametrize("arguments", [[], [VARIABLE], [f"{VARIABLE}=x"], [f"{VARIABLE}=1", "more"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    assert probe.main(arguments) == probe.EXIT_USAGE


@pytest.mark.parametrize(
    ("bound", "host"), [("", "127.0.0.1"), ("::", "127.0.0.1"), ("10.0.0.3", "10.0.0.3")]
)
def test_the_address_that_the_process_listens_on_is_asked(bound: str, host: str) -> None:
    where = probe.endpoint(f"{VARIABLE}=8888", {"WORKERPOOL_HTTP_BIND_ADDRESS": bound})
    assert where == probe.Endpoint(host, 8888, tls=False)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"status": "UP", "components": {"a": 1}}'])
def test_an_answer_of_another_server_is_reported(body: bytes) -> None:
    assert probe.summary(200, body) == "HTTP 200 without a health document"


def test_nothing_but_the_standard_library_is_imported() -> None:
    code = (
        "import sys, workerpool_kit.http.probe as p; "
        "print([m for m in ('grpc', 'starlette', 'uvicorn', 'pydantic', 'asyncio') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
