"""The launcher with the real services: every test starts a whole pool."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from patience import PATIENCE_S
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.errors import DevnetError
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.services.plan import OFFERED_CATEGORIES

pytestmark = pytest.mark.e2e


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(condition: Callable[[], bool], what: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def cli(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "workerpool_devnet",
        "up",
        "--out",
        str(folder / "devnet.json"),
        *arguments,
    ]
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | {"TMPDIR": str(folder)}
        )


def started(process: subprocess.Popen[bytes], folder: Path) -> dict[str, int]:
    """Wait until the devnet is ready; return the pids of its services."""
    document = folder / "devnet.json"
    wait_until(
        lambda: document.exists() or process.poll() is not None, "the devnet is not ready", 2 * PATIENCE_S
    )
    assert process.poll() is None, (folder / "output").read_text()
    return {name: service["pid"] for name, service in json.loads(document.read_text())["services"].items()}


def assert_nothing_left(folder: Path, pids: dict[str, int]) -> None:
    wait_until(lambda: not any(map(alive, pids.values())), f"processes still run: {pids}", PATIENCE_S)
    wait_until(
        lambda: [path.name for path in folder.iterdir()] == ["output"],
        f"not removed: {[path.name for path in folder.iterdir()]}",
        PATIENCE_S,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_launcher_removes_everything(tmp_path: Path, number: signal.Signals) -> None:
    with cli(tmp_path, "--workers", "1") as process:
        began = time.monotonic()
        pids = started(process, tmp_path)
        asked = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE_S) == 0
    # The start measures the machine. To kill the services one after the other, each in its time, takes twice as long.
    assert time.monotonic() - asked < max(12, 3 * (asked - began))
    assert_nothing_left(tmp_path, pids)


def test_everything_is_removed_after_a_kill_of_the_launcher(tmp_path: Path) -> None:
    with cli(tmp_path, "--workers", "1") as process:
        pids = started(process, tmp_path)
        process.kill()
    assert_nothing_left(tmp_path, pids)


def test_a_service_that_fails_at_start_is_named_with_its_reason(tmp_path: Path) -> None:
    async def start() -> None:
        options = DevnetOptions(
            workers=1, folder=tmp_path / "run", environment={"registry": {"IEXEC_BLOCK_TIME": "often"}}
        )
        async with Devnet(options):
            pytest.fail("it must not start")

    with pytest.raises(DevnetError, match=r"(?s)registry ended with exit code 2.*IEXEC_BLOCK_TIME"):
        asyncio.run(start())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["logs"]


async def test_a_devnet_for_the_sdk_sells_its_pool_on_its_market(tmp_path: Path) -> None:
    async with Devnet(DevnetOptions(workers=2, sdk=True)) as net, aiohttp.ClientSession() as http:
        net.write_document(tmp_path / "devnet.json")
        document = json.loads((tmp_path / "devnet.json").read_text())
        chain = json.loads((tmp_path / "chain.json").read_text())["chains"]["devnet"]
        assert chain["iexecGateway"] == document["market"]
        assert chain["sms"] == document["sms"] == net.services["sms"].http

        async def offers(category: int) -> list[dict[str, Any]]:
            query = {"chainId": chain["id"], "workerpool": net.workerpool, "category": str(category)}
            async with http.get(f"{chain['iexecGateway']}/workerpoolorders", params=query) as answer:
                return list((await answer.json())["orders"])

        async with asyncio.timeout(PATIENCE_S):
            for category in OFFERED_CATEGORIES:
                while not await offers(category):
                    await asyncio.sleep(0.05)
        net.services["market"].kill()
        await net.services["market"].restart()
        assert await offers(0), "the orders survive the market"
    assert list(tmp_path.iterdir()) == []


async def test_services_are_healthy_and_a_killed_one_restarts(tmp_path: Path) -> None:
    async with Devnet(DevnetOptions(workers=2, restart=True, folder=tmp_path / "run")) as net:
        document = tmp_path / "devnet.json"
        net.write_document(document)
        async with aiohttp.ClientSession() as http:
            for service in net.services.values():
                async with http.get(f"{service.http}/actuator/health") as answer:
                    assert (await answer.json())["status"] == "UP"
        core = net.services["core"]
        before = core.pid
        core.kill()
        await core.wait_restarted(before, timeout=PATIENCE_S)
        await core.wait_healthy(timeout=PATIENCE_S)

        def documented() -> bool:
            return bool(json.loads(document.read_text())["services"]["core"]["pid"] == core.pid)

        await asyncio.to_thread(
            wait_until, documented, "devnet.json still has the old process id", PATIENCE_S
        )
    assert not document.exists()
