"""The start-up checks: each failure is one sentence with the remedy."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.process import StartupError
from workerpool_kit.settings.environment import load
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import CallReverted, ChainUnreachable, WrongChain
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.model import Account
from workerpool_worker import startup
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
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

    def __init__(self, failure: Exception | None = None, stake: int = 0) -> None:
        self._failure, self._stake = failure, stake

    async def connect(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def workerpool_owner(self, workerpool: str) -> str:
        return ZERO_ADDRESS

    async def view_account(self, owner: str) -> Account:
        return Account(self._stake, 0)


class Sender:
    """A transaction sender whose wallet pays for a number of transactions."""

    def __init__(self, affordable: float) -> None:
        self._affordable = affordable

    async def affordable_transactions(self) -> float:
        return self._affordable


class AbsentEngine:
    async def version(self) -> str:
        raise DockerUnavailable("the Docker engine does not answer: no socket")


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


def test_a_scheduler_url_without_port_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="IEXEC_CORE_URL"):
        startup.open_core(settings(tmp_path, IEXEC_CORE_URL="http://core"))


async def test_a_missing_key_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="check IEXEC_WORKER_WALLET_PATH"):
        await startup.open_wallet(settings(tmp_path, IEXEC_WORKER_WALLET_PATH=str(tmp_path / "none.json")))


async def test_an_absent_engine_is_refused() -> None:
    engine: Any = AbsentEngine()
    with pytest.raises(StartupError, match="start Docker"):
        await startup.check_docker(engine)


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
    with pytest.raises(StartupError, match=sentence):
        await startup.check_chain(hub, CHAIN, settings(tmp_path))


async def test_a_wallet_without_gas_is_refused() -> None:
    hub: Any = Hub()
    sender: Any = Sender(0.9)
    with pytest.raises(StartupError, match="send it coins for gas"):
        await startup.check_funds(hub, sender, WALLET, CHAIN)


async def test_a_wallet_with_gas_or_on_a_sidechain_is_accepted() -> None:
    hub: Any = Hub(stake=5)
    sender: Any = Sender(1.0)
    await startup.check_funds(hub, sender, WALLET, CHAIN)
    sender = Sender(0.0)
    await startup.check_funds(hub, sender, WALLET, ChainConfig(134, True, "", ZERO_ADDRESS, 5.0))


async def test_a_folder_serves_one_worker_at_a_time(tmp_path: Path) -> None:
    async with AsyncExitStack() as first:
        startup.open_workspace(settings(tmp_path), first)
        async with AsyncExitStack() as second:
            with pytest.raises(StartupError, match="give this one another IEXEC_WORKER_NAME"):
                startup.open_workspace(settings(tmp_path), second)
    async with AsyncExitStack() as again:
        startup.open_workspace(settings(tmp_path), again)


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
