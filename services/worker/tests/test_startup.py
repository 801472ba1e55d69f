"""The start-up checks: each failure is one sentence with the remedy."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from patience import PATIENCE_S
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError
from workerpool_kit.settings.environment import load
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import CallReverted, ChainUnreachable, WrongChain
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.model import Account
from workerpool_worker import dependencies, startup
from workerpool_worker.adapters.host_memory import total_memory
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.domain.containers.engine_host import EngineHost
from workerpool_worker.domain.diagnosis import judgements
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.errors import DockerUnavailable
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.harness.builders import TASK_ID, WORKER
from services.worker.tests.harness.context import unexpected

CHAIN = ChainConfig(134, False, "http://node.test:8545", ZERO_ADDRESS, 5.0)
WALLET = Wallet.create()


def settings(tmp_path: Path, **changes: str) -> WorkerSettings:
    values = {
        "POOL_ADDRESS": WORKER,
        "IEXEC_WORKER_BASE_DIR": str(tmp_path),
        "WORKERPOOL_WORKER_STARTUP_TIMEOUT": "0",
    }
    return load(WorkerSettings, values | changes)


class Hub:
    """A hub client whose connection fails as the test says."""

    class rpc:
        node_url = "http://node.test:8545"

    def __init__(self, failure: Exception | None = None, stake: int = 0, outages: int = 0) -> None:
        self._failure, self._stake, self._outages = failure, stake, outages

    async def connect(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def workerpool_owner(self, workerpool: str) -> str:
        return ZERO_ADDRESS

    async def view_account(self, owner: str) -> Account:
        if self._outages:
            self._outages -= 1
            raise ChainUnreachable("connection refused")
        return Account(self._stake, 0)


class AbsentEngine:
    def __init__(self, *, is_local: bool) -> None:
        self.is_local = is_local

    async def version(self) -> str:
        raise DockerUnavailable("the Docker engine does not answer: no socket")


class EngineWith:
    """An engine that has some runtimes."""

    def __init__(self, *runtimes: str) -> None:
        self._host = EngineHost(1 << 30, 2, frozenset(runtimes), "runc")

    async def version(self) -> str:
        return "27.1"

    async def host(self) -> EngineHost:
        return self._host


async def core_for(workerpool: str, version: str = "") -> CorePeer:
    core = CorePeer(workerpool, 134)
    core.configuration.required_worker_version = version
    await core.start()
    return core


@pytest.mark.parametrize(
    ("workerpool", "version", "sentence"),
    [
        (ZERO_ADDRESS, "", "correct POOL_ADDRESS or IEXEC_CORE_URL"),
        (WORKER, "9.9.9", "requires worker version 9.9.9, this is 1.0; install version 9.9.9"),
        ("", "", "check IEXEC_CORE_URL"),
    ],
    ids=["another pool", "another version", "no pool"],
)
async def test_an_unsuitable_scheduler_is_refused(
    tmp_path: Path, workerpool: str, version: str, sentence: str
) -> None:
    core = await core_for(workerpool, version)
    client = startup.open_core(settings(tmp_path, IEXEC_CORE_URL=core.url))
    with pytest.raises(StartupError, match=sentence):
        await startup.read_configuration(client, settings(tmp_path), "1.0")
    await client.close()
    await core.stop()


async def test_the_required_version_is_accepted(tmp_path: Path) -> None:
    core = await core_for(WORKER, "1.0")
    client = startup.open_core(settings(tmp_path, IEXEC_CORE_URL=core.url))
    pool = await startup.read_configuration(client, settings(tmp_path), "1.0")
    assert pool.workerpool == WORKER
    await client.close()
    await core.stop()


async def test_a_result_proxy_that_would_get_tokens_without_tls_is_refused(tmp_path: Path) -> None:
    core = await core_for(WORKER, "")
    core.configuration.result_proxy_url = "http://result.example:13200"
    client = startup.open_core(settings(tmp_path, IEXEC_CORE_URL=core.url))
    with pytest.raises(
        StartupError, match=r"IEXEC_RESULT_REPOSITORY_URL: the token .*WORKERPOOL_ALLOW_CLEARTEXT"
    ):
        await startup.read_configuration(client, settings(tmp_path), "1.0")
    private = settings(tmp_path, WORKERPOOL_ALLOW_CLEARTEXT="true")
    assert (await startup.read_configuration(client, private, "1.0")).workerpool == WORKER
    await client.close()
    await core.stop()


def test_a_scheduler_url_without_port_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="IEXEC_CORE_URL"):
        startup.open_core(settings(tmp_path, IEXEC_CORE_URL="http://localhost"))


async def test_a_missing_key_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="check IEXEC_WORKER_WALLET_PATH"):
        await startup.open_wallet(settings(tmp_path, IEXEC_WORKER_WALLET_PATH=str(tmp_path / "none.json")))


async def test_an_absent_engine_of_this_host_is_awaited_and_reported() -> None:
    engine: Any = AbsentEngine(is_local=True)
    health = Health()
    memory = await startup.reach_docker(engine, DependencyReport(health, dependencies.docker_dependency()))
    assert memory == total_memory()
    docker = health.snapshot()["components"]["docker"]
    assert docker["status"] == "OUT_OF_SERVICE"
    assert "no socket" in docker["details"]["problem"]
    assert "start Docker" in docker["details"]["next_step"]


async def test_an_absent_engine_of_another_host_is_refused() -> None:
    engine: Any = AbsentEngine(is_local=False)
    report = DependencyReport(Health(), dependencies.docker_dependency())
    with pytest.raises(StartupError, match="start Docker"):
        await startup.reach_docker(engine, report)


@pytest.mark.parametrize("runtime", ["", "runc", "runsc", "io.containerd.kata.v2"])
async def test_an_engine_with_the_runtime_is_used(runtime: str) -> None:
    engine: Any = EngineWith("runc", "runsc")
    health = Health()
    report = DependencyReport(health, dependencies.docker_dependency())
    assert await startup.reach_docker(engine, report) == 1 << 30
    assert health.is_up
    startup.check_runtime(await engine.host(), runtime)


async def test_a_runtime_that_the_engine_lacks_ends_the_start_with_those_that_it_has() -> None:
    engine: Any = EngineWith("runsc", "runc")
    with pytest.raises(
        StartupError, match=r"no runtime sysbox-runc; it has runc, runsc; .*CONTAINER_RUNTIME"
    ):
        startup.check_runtime(await engine.host(), "sysbox-runc")


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (ChainUnreachable("refused"), "the blockchain node cannot be reached: refused"),
        (WrongChain("it is chain 1"), "it is chain 1; check the node's address"),
        (CallReverted("no code"), f"there is no workerpool {WORKER} on chain 134"),
    ],
)
async def test_an_unusable_chain_is_refused(tmp_path: Path, failure: Exception, sentence: str) -> None:
    hub: Any = Hub(failure)
    report = dependencies.node_report(Health(), settings(tmp_path), CHAIN.node_url)
    with pytest.raises(StartupError, match=sentence):
        await startup.check_chain(hub, CHAIN, settings(tmp_path), report)


async def test_a_node_that_is_lost_after_the_connection_is_waited_for() -> None:
    hub: Any = Hub(stake=5, outages=2)
    with structlog.testing.capture_logs() as lines:
        await asyncio.wait_for(startup.read_account(hub, WALLET), PATIENCE_S)
    (read,) = [line for line in lines if line["event"] == "wallet.account_read"]
    assert read["stake_nrlc"] == 5


async def test_a_folder_serves_one_worker_at_a_time(tmp_path: Path) -> None:
    async with AsyncExitStack() as first:
        startup.open_workspace(settings(tmp_path), first)
        async with AsyncExitStack() as second:
            with pytest.raises(StartupError, match="give this one another IEXEC_WORKER_NAME"):
                startup.open_workspace(settings(tmp_path), second)
    async with AsyncExitStack() as again:
        startup.open_workspace(settings(tmp_path), again)


async def test_only_the_default_folder_is_named_when_a_reboot_may_empty_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgements, "_VOLATILE", (tmp_path,))
    unset = settings(tmp_path)
    unset.model_fields_set.discard("base_dir")
    for chosen, told in ((settings(tmp_path), []), (unset, ["workspace.found_volatile"])):
        async with AsyncExitStack() as stack:
            with structlog.testing.capture_logs() as lines:
                startup.open_workspace(chosen, stack)
            assert [line["event"] for line in lines] == told


async def test_an_unwritable_folder_is_refused() -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(StartupError, match="check IEXEC_WORKER_BASE_DIR"):
            startup.open_workspace(settings(Path("/proc/nowhere")), stack)


async def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=unexpected)
    await journal.open()
    await journal.save_assignment(b"\xff", ReplicateRecord(TASK_ID))
    await journal.close()
    again = SqliteJournal(tmp_path / "journal.db", on_failure=unexpected)
    with pytest.raises(StartupError, match="is damaged"):
        await startup.open_journal(again, WALLET, settings(tmp_path))


async def test_an_empty_journal_is_opened(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=unexpected)
    snapshot = await startup.open_journal(journal, WALLET, settings(tmp_path))
    assert snapshot.replicates == ()
    await journal.close()
