"""The findings of `poolworker check` as a whole: complete, in order, and without a trace on the host."""

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workerpool_kit.settings.environment import load
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet
from workerpool_worker.adapters.files.worker_lock import take_lock
from workerpool_worker.cli.check import examine
from workerpool_worker.domain.diagnosis.findings import Code, Finding, Severity
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.host_settings import HostSettings, by_subject

VERSION = "9.1.0"


@pytest.fixture
def settings(base: Path, monkeypatch: pytest.MonkeyPatch) -> HostSettings:
    """Return settings of a host on which nothing works; keyword arguments are variables."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    given = {
        "POOL_ADDRESS": WORKER,
        "IEXEC_CORE_URL": f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}",
        "IEXEC_WORKER_BASE_DIR": str(base),
        "IEXEC_WORKER_WALLET_PATH": str(base.parent / "wallet.json"),
        "IEXEC_WORKER_WALLET_PASSWORD": "correct horse",
        "WORKERPOOL_WORKER_DISK_FLOOR_BYTES": "0",
        "WORKERPOOL_WORKER_MEMORY_FLOOR_BYTES": "0",
        "WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS": f"http://127.0.0.1:{port}",
    }
    return lambda **variables: load(WorkerSettings, given | variables)


@pytest.fixture
async def core() -> AsyncIterator[CorePeer]:
    """A scheduler whose config server is away."""
    peer = CorePeer(WORKER, 65535)
    await peer.start()
    yield peer
    await peer.stop()


async def test_all_problems_of_a_host_are_reported_in_the_order_of_fixing(
    settings: HostSettings, base: Path
) -> None:
    findings = await examine(settings(), VERSION)
    assert [(each.subject, each.severity.value, str(each.code)) for each in findings] == [
        ("settings", "ok", ""),
        ("wallet", "problem", "WALLET_UNUSABLE"),
        ("base folder", "warning", "BASE_FOLDER_VOLATILE"),
        ("base folder", "ok", ""),
        ("disk", "ok", ""),
        ("memory", "ok", ""),
        ("engine", "problem", "NO_ENGINE"),
        ("internet", "warning", "INTERNET_UNREACHABLE"),
        ("clock", "skipped", ""),
        ("scheduler", "problem", "CORE_UNREACHABLE"),
        ("admission", "skipped", ""),
        ("node", "skipped", ""),
        ("stake", "skipped", ""),
        ("gas", "skipped", ""),
        ("result proxy", "skipped", ""),
        ("worker", "ok", ""),
    ]
    assert all(bool(each.next_step) is bool(each.code) for each in findings)
    assert list(base.parent.iterdir()) == []


async def test_a_wrong_password_does_not_hide_that_the_pool_refuses_the_wallet(
    settings: HostSettings, core: CorePeer
) -> None:
    found = settings(IEXEC_CORE_URL=core.url, IEXEC_WORKER_WALLET_PASSWORD="another horse")
    wallet = Wallet.create()
    wallet.write_keystore(found.wallet_path, "correct horse", light=True)
    core.excluded.add(wallet.address)
    findings = by_subject(await examine(found, VERSION))
    assert findings["wallet"].code is Code.WRONG_PASSWORD
    assert findings["admission"].code is Code.NOT_WHITELISTED
    assert wallet.address in findings["admission"].message


async def test_an_unreachable_config_server_hides_only_the_chain(
    settings: HostSettings, core: CorePeer
) -> None:
    found = settings(IEXEC_CORE_URL=core.url)
    Wallet.create().write_keystore(found.wallet_path, "correct horse", light=True)
    findings = by_subject(await examine(found, VERSION))
    assert findings["config server"].code is Code.CONFIG_SERVER_UNREACHABLE
    for subject in ("wallet", "clock", "scheduler", "version", "admission"):
        assert findings[subject].severity is Severity.OK, subject
    assert (findings["stake"].severity, findings["gas"].severity) == (Severity.SKIPPED, Severity.SKIPPED)


# --- the worker of this host -----------------------------------------------------------------------


async def process(settings: WorkerSettings) -> Finding:
    return (await examine(settings, VERSION))[-1]


async def test_a_running_worker_is_reported_with_its_process(settings: HostSettings) -> None:
    found = settings()
    assert (await process(found)).message == "it does not run"
    found.folder.mkdir(parents=True)
    lock = take_lock(found.folder)
    assert lock is not None
    with lock:
        assert (await process(found)).message == f"it runs as process {os.getpid()}"
        holder = found.folder / "holder.json"
        holder.write_text(holder.read_text().replace('"started": ', '"started": 1'))
        assert (await process(found)).message == "it runs in a container"
        holder.unlink()
        assert (await process(found)).message == "it starts just now, or runs in an older version"
    assert (await process(found)).message == "it does not run"


async def test_a_lock_that_cannot_be_read_proves_nothing(settings: HostSettings) -> None:
    found = settings()
    (found.folder / "lock").mkdir(parents=True)
    finding = await process(found)
    assert (finding.subject, finding.severity) == ("worker", Severity.SKIPPED)
    assert str(found.folder) in finding.message
    assert "Is a directory" in finding.message
