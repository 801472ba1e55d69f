"""The worker's binary on a bare Debian: no Python, only nftables and this Docker engine. It computes a deal there."""

import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from e2e.requester import Requester
from install.conftest import ROOT, BareMachine, bare_debian
from patience import PATIENCE_S
from workerpool_devnet.demo.documents import DocumentServer
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_protocol.core.v1 import statuses_pb2

from services.worker.tests.harness.worker_binary import built_archive, unpack

pytestmark = [pytest.mark.soak, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

IDLE_MIB = 100
Figure = Callable[[str, object], None]


@pytest.fixture(scope="module")
def machine() -> Iterator[BareMachine]:
    """Yield a machine without Python."""
    with bare_debian("nftables") as made:
        yield made


@pytest.fixture(scope="module")
def poolworker(machine: BareMachine) -> str:
    """Install the archive on the machine; return the path of the program."""
    return unpack(built_archive(), machine.folder / "opt")


@pytest.fixture(scope="module")
def settings(machine: BareMachine) -> dict[str, str]:
    """Return the environment of a worker whose scheduler is away."""
    (machine.folder / "password").write_text("a password of the test\n")
    (machine.folder / "password").chmod(0o600)
    return {
        "POOL_ADDRESS": "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27",
        "IEXEC_CORE_URL": "http://127.0.0.1:9",
        "IEXEC_WORKER_BASE_DIR": str(machine.folder / "base"),
        "IEXEC_WORKER_WALLET_PATH": str(machine.folder / "wallet.json"),
        "IEXEC_WORKER_WALLET_PASSWORD_FILE": str(machine.folder / "password"),
    }


async def test_the_machine_has_no_python(machine: BareMachine) -> None:
    look = "for program in python3 pip3 docker; do ! command -v $program || exit 1; done"
    machine.run("sh", "-c", look, timeout_s=PATIENCE_S)


async def test_it_shows_its_version_and_its_commands(
    machine: BareMachine, poolworker: str, record_property: Figure
) -> None:
    version = (ROOT / "pyproject.toml").read_text().split('version = "')[1].split('"')[0]
    assert f"poolworker {version}" in machine.run(poolworker, "version", timeout_s=PATIENCE_S)
    started = time.monotonic()
    machine.run(poolworker, "version", timeout_s=PATIENCE_S)
    record_property("figure", f"the binary starts in {time.monotonic() - started:.2f} s")
    assert "wallet create" in machine.run(poolworker, "--help", timeout_s=PATIENCE_S)
    assert "IEXEC_WORKER_BASE_DIR" in machine.run(poolworker, "run", "--help", timeout_s=PATIENCE_S)
    assert "unusable environment" in machine.run(poolworker, "run", timeout_s=PATIENCE_S, code=2)
    assert "unknown" in machine.run(poolworker, "unknown", timeout_s=PATIENCE_S, code=2)


async def test_check_finds_the_engine_and_names_the_scheduler_that_is_away(
    machine: BareMachine, poolworker: str, settings: dict[str, str]
) -> None:
    wallet = machine.run(poolworker, "wallet", "create", environment=settings, timeout_s=PATIENCE_S)
    assert wallet.startswith("0x")
    text = machine.run(poolworker, "check", "--json", environment=settings, timeout_s=PATIENCE_S, code=1)
    found = {each["subject"]: each for each in json.loads(text[text.index("[") :])}
    assert found["engine"]["severity"] == "ok", found
    assert found["wallet"]["message"] == wallet.split()[0]
    assert found["shared folder"]["severity"] == "ok", found
    assert found["app network"]["severity"] == "ok", found
    assert found["scheduler"]["severity"] == "problem", found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(machine: BareMachine, poolworker: str) -> AsyncIterator[Devnet]:
    """Run a pool whose only worker is the binary on the bare machine."""
    pool = {"registry", "chain_adapter", "result_proxy", "core"}
    options = DevnetOptions(workers=1, services=pool, folder=machine.folder / "net")
    async with Devnet(options) as running:
        worker = running.services["worker-1"].process
        worker.command = ["unshare", "--mount", *machine.entered(poolworker, "run", environment=worker.env)]
        await running.services["worker-1"].restart(timeout=PATIENCE_S)
        yield running


async def test_it_computes_a_deal_and_stays_small(net: Devnet, record_property: Figure) -> None:
    pid = net.services["worker-1"].pid
    assert Path(f"/proc/{pid}/exe").readlink().name == "poolworker", "the launcher did not become the program"
    record_property("figure", f"the idle binary holds {resident_mib(pid)} MiB")
    assert resident_mib(pid) <= IDLE_MIB
    with DocumentServer() as documents:
        requester = Requester(net, await net.create_app("binary", ensure_image()), documents.urls)
        (task,) = await requester.buy()
        progress = await requester.follow([task])
    assert progress.tasks[task].status == statuses_pb2.TASK_STATUS_COMPLETED, progress.tasks[task]


async def test_sigterm_ends_it_in_order(net: Devnet) -> None:
    worker = net.services["worker-1"]
    worker.wanted = False
    worker.process.signal(signal.SIGTERM)
    assert worker.process.wait(PATIENCE_S)
    assert worker.process.exit_code == os.EX_OK


def resident_mib(pid: int) -> int:
    """Return the memory of a process, shared libraries included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise AssertionError(f"process {pid} has ended")
