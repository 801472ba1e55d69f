"""`poolworker status` where a part of the worker or its pool is missing, damaged or unlike what it should be."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from patience import PATIENCE_S
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.settings.environment import load
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker.adapters.files.worker_lock import take_lock
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.cli import pool_checks, status
from workerpool_worker.cli.status import read_status
from workerpool_worker.domain.diagnosis.status_report import StatusReport, lines, why_no_work
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.updates import Update
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.harness.builders import DEAL_ID, OTHER_TASK_ID, TASK_ID
from services.worker.tests.harness.context import unexpected
from services.worker.tests.harness.staker import Staker

POOL = "0x" + "11" * 20
PASSWORD = "only for tests"
HEALTH = "/actuator/health"


def no_core() -> str:
    """Return the URL of a scheduler that does not run."""
    return f"http://127.0.0.1:{free_port() - GRPC_PORT_OFFSET}"


def settings(folder: Path, core: str, **variables: str) -> WorkerSettings:
    made = load(
        WorkerSettings,
        {
            "POOL_ADDRESS": POOL,
            "IEXEC_CORE_URL": core,
            "IEXEC_WORKER_BASE_DIR": str(folder),
            "IEXEC_WORKER_NAME": "w",
            "IEXEC_WORKER_WALLET_PATH": str(folder / "wallet.json"),
            "IEXEC_WORKER_WALLET_PASSWORD": PASSWORD,
            **variables,
        },
    )
    return made


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a machine that is busy with other tests answer later than an operator waits."""
    for limit in ("_LIMIT_S", "_EARNINGS_LIMIT_S", "_HEALTH_LIMIT_S"):
        monkeypatch.setattr(status, limit, PATIENCE_S)
    monkeypatch.setattr(pool_checks, "_LIMIT_S", PATIENCE_S)


async def report_of(worker: WorkerSettings) -> StatusReport:
    report = await read_status(worker, "9.0.0", days=7)
    assert list(lines(report, 0.0)), "every report can be printed"
    return report


@pytest.fixture
def down(tmp_path: Path) -> WorkerSettings:
    """A worker whose scheduler does not run."""
    made = settings(tmp_path, no_core())
    made.folder.mkdir()
    return made


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    made = Wallet.create()
    made.write_keystore(tmp_path / "wallet.json", PASSWORD, light=True)
    return made


@pytest.fixture
async def core() -> AsyncIterator[CorePeer]:
    peer = CorePeer(POOL, 65535)
    peer.configuration.config_server_url = peer.configuration.result_proxy_url = no_core()
    await peer.start()
    yield peer
    await peer.stop()


async def test_an_unconfigured_host_is_reported_without_a_change(tmp_path: Path) -> None:
    report = await report_of(settings(tmp_path, no_core()))
    assert (report.pid, report.wallet, report.replicates, report.connected) == (None, "", [], None)
    assert any("does not answer" in each for each in report.unread)
    assert any("wallet" in each for each in report.unread)
    assert "Start it" in why_no_work(report)
    assert list(tmp_path.iterdir()) == []


async def test_local_state_is_reported_while_the_scheduler_is_down(
    down: WorkerSettings, wallet: Wallet
) -> None:
    journal = SqliteJournal(down.folder / "journal.db", on_failure=unexpected)
    await journal.open()
    paid_later = ReplicateRecord(OTHER_TASK_ID, status=ReplicateStatus.CONTRIBUTED, since=5.0)
    await journal.save_assignment(b"", paid_later)
    record = ReplicateRecord(TASK_ID, status=ReplicateStatus.COMPUTING, since=9.0)
    await journal.save_assignment(b"", record)
    await journal.save(record, [Update(1, TASK_ID, ReplicateStatus.COMPUTING)])
    with take_lock(down.folder, 0) or unexpected("the lock is free"):
        report = await report_of(down)
    await journal.close()
    assert (report.pid, report.wallet, report.unanswered) == (os.getpid(), wallet.address, 1)
    assert [(each.task_id, each.status) for each in report.replicates] == [
        (OTHER_TASK_ID, "CONTRIBUTED"),
        (TASK_ID, "COMPUTING"),
    ]
    assert (report.pending_tasks, report.pending_max) == (1, None)


async def test_a_damaged_journal_hides_nothing_else(down: WorkerSettings, wallet: Wallet) -> None:
    (down.folder / "journal.db").write_text("no database")
    report = await report_of(down)
    assert any("journal.db cannot be read" in each for each in report.unread)
    assert report.wallet == wallet.address


async def test_a_folder_that_is_a_file_is_reported(down: WorkerSettings) -> None:
    down.folder.rmdir()
    down.folder.write_text("")
    report = await report_of(down)
    assert any(str(down.folder) in each and "Not a directory" in each for each in report.unread)


async def test_a_command_that_holds_the_lock_is_no_worker(down: WorkerSettings) -> None:
    with take_lock(down.folder, command=True) or unexpected("the lock is free"):
        assert (await report_of(down)).pid is None


# --- the worker's health -------------------------------------------------------------------------


@asynccontextmanager
async def health(folder: Path, text: str, status: int = 200) -> AsyncIterator[None]:
    """Hold a worker's lock, and answer as its HTTP side."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_get(HEALTH, answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with take_lock(folder, runner.addresses[0][1]) or unexpected("the lock is free"):
        yield
    await runner.cleanup()


async def test_each_component_that_is_down_is_reported_with_its_next_step(
    down: WorkerSettings,
) -> None:
    text = """{"status": "DOWN", "components": {
        "up": {"status": "UP", "details": {"problem": "an older one"}},
        "gas": {"status": "DOWN", "details": {"problem": "no coins", "next_step": "send some"}},
        "disk": {"status": "DOWN", "details": {"error": "full"}},
        "core": {"status": "OUT_OF_SERVICE", "details": {"reason": "away"}},
        "bare": {"status": "DOWN"}}}"""
    async with health(down.folder, text, status=503):
        report = await report_of(down)
    assert report.troubles == [
        "bare: it is not in service.",
        "core: away.",
        "disk: full.",
        "gas: no coins (send some).",
    ]
    assert why_no_work(report) == " ".join(report.troubles)


async def test_a_healthy_worker_has_no_problems(down: WorkerSettings) -> None:
    async with health(down.folder, '{"components": {"disk": {"status": "UP"}}}'):
        report = await report_of(down)
    assert report.troubles == []
    assert not any(HEALTH in each for each in report.unread)


async def test_pulls_and_waiting_uploads_are_reported(down: WorkerSettings) -> None:
    pull = "app:1: 3 of 9 MiB arrived, 1 of 4 layers done after 12 s"
    upload = "the result of task 0x01 is not uploaded yet: STORAGE_FULL: 1 MiB free"
    components = {
        "images": {"status": "UP", "details": {"pulls": [pull]}},
        "uploads": {"status": "UP", "details": {"waiting": [upload]}},
    }
    async with health(down.folder, json.dumps({"components": components})):
        report = await report_of(down)
    assert (report.pulls, report.waiting_uploads) == ([pull], [upload])
    assert report.troubles == []
    printed = list(lines(report, 0.0))
    assert f"pull        {pull}" in printed
    assert f"upload      {upload}" in printed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        "7",
        "null",
        "{}",
        '{"components": []}',
        '{"components": null}',
        '{"components": {"disk": "UP"}}',
        '{"components": {"disk": {"status": "DOWN", "details": "full"}}}',
    ],
)
async def test_an_answer_of_another_program_is_reported_and_the_rest_is_read(
    down: WorkerSettings, wallet: Wallet, text: str
) -> None:
    async with health(down.folder, text):
        report = await report_of(down)
    assert any(HEALTH in each for each in report.unread)
    assert (report.pid, report.wallet, report.troubles) == (os.getpid(), wallet.address, [])


async def test_a_worker_that_does_not_answer_is_reported(down: WorkerSettings) -> None:
    with take_lock(down.folder, free_port()) or unexpected("the lock is free"):
        report = await report_of(down)
    assert any(HEALTH in each for each in report.unread)


@pytest.mark.parametrize(
    ("bind", "host"),
    [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("127.0.0.2", "127.0.0.2")],
)
async def test_the_health_is_read_where_the_worker_listens(tmp_path: Path, bind: str, host: str) -> None:
    made = settings(tmp_path, no_core(), WORKERPOOL_HTTP_BIND_ADDRESS=bind)
    made.folder.mkdir()
    port = free_port()
    with take_lock(made.folder, port) or unexpected("the lock is free"):
        report = await report_of(made)
    assert any(f"http://{host}:{port}{HEALTH}" in each for each in report.unread)


# --- the pool ------------------------------------------------------------------------------------


@pytest.fixture
def pooled(tmp_path: Path, core: CorePeer) -> Iterator[WorkerSettings]:
    """A worker whose scheduler answers, and whose config server does not."""
    made = settings(tmp_path, core.url)
    made.folder.mkdir()
    with take_lock(made.folder, 0) or unexpected("the lock is free"):
        yield made


async def test_the_schedulers_view_is_shown_while_the_chain_is_unreachable(
    pooled: WorkerSettings, core: CorePeer, wallet: Wallet
) -> None:
    core.pool.workers[wallet.address] = pool_service_pb2.GetWorkerResponse(
        worker=pool_service_pb2.Worker(connected=False, slots=4, used_slots=3), idle_reason="It drains."
    )
    report = await report_of(pooled)
    assert (report.connected, report.slots, report.used_slots) == (False, 4, 3)
    assert why_no_work(report) == "It drains."
    assert (report.stake, report.balance, report.earned) == (None, None, None)
    assert len(report.unread) == 1, "the config server"


async def test_a_worker_that_never_connected_is_unknown_to_the_scheduler(
    pooled: WorkerSettings, wallet: Wallet
) -> None:
    report = await report_of(pooled)
    assert (report.connected, report.slots, report.idle_reason) == (None, None, "")


async def test_another_pool_at_the_address_is_reported(
    pooled: WorkerSettings, core: CorePeer, wallet: Wallet
) -> None:
    core.configuration.workerpool = "0x" + "22" * 20
    report = await report_of(pooled)
    assert any("runs the workerpool 0x2222" in each for each in report.unread)
    assert report.wallet == wallet.address


async def test_a_wallet_file_without_an_address_is_opened(
    pooled: WorkerSettings, wallet: Wallet, tmp_path: Path
) -> None:
    path = tmp_path / "wallet.json"
    path.write_text(path.read_text().replace("address", "unnamed"))
    assert (await report_of(pooled)).wallet == wallet.address


# --- the chain -----------------------------------------------------------------------------------


async def hold(staker: Staker, *records: tuple[ReplicateRecord, DealId]) -> None:
    """Leave a journal with these replicates of deals."""
    staker.settings.folder.mkdir(parents=True)
    journal = SqliteJournal(staker.settings.folder / "journal.db", on_failure=unexpected)
    await journal.open()
    for record, deal_id in records:
        wire = pb.Assignment(task=pb.TaskDescription(task_id=record.task_id, deal_id=deal_id))
        await journal.save_assignment(wire.SerializeToString(), record)
    await journal.close()


async def test_stake_and_gas_of_a_stopped_worker_are_reported(staker: Staker) -> None:
    report = await report_of(staker.settings)
    account = await staker.hub.view_account(staker.wallet.address)
    assert (report.stake, report.locked) == (account.stake, account.locked)
    assert report.balance == (await staker.hub.balances([staker.wallet.address]))[0]
    assert report.transactions_left is not None
    assert report.transactions_left > 0
    assert report.unread == []


@pytest.mark.parametrize("days", [0.0, 7.0, 1e300, float("inf")])
async def test_earnings_are_read_of_any_number_of_days(staker: Staker, days: float) -> None:
    report = await read_status(staker.settings, "9.0.0", days=days)
    assert report.unread == []
    assert report.earned is not None
    assert (report.earned.earned, report.earned.tasks, report.earned.seized) == (0, 0, 0)
    head = await staker.hub.block()
    assert head is not None
    assert 0 < report.earned.since <= head.timestamp


async def test_each_contribution_that_is_not_paid_counts_also_of_one_deal(staker: Staker) -> None:
    deal = await asyncio.to_thread(staker.buy, 100, 2)
    ratio = (await staker.hub.view_deals([deal.deal_id]))[0].scheduler_reward_ratio
    records = [
        ReplicateRecord(TASK_ID, status=ReplicateStatus.CONTRIBUTED),
        ReplicateRecord(OTHER_TASK_ID, status=ReplicateStatus.REVEALED),
        ReplicateRecord(TaskId("0x" + "05" * 32), status=ReplicateStatus.COMPUTING),
    ]
    await hold(staker, *((record, deal.deal_id) for record in records))
    report = await report_of(staker.settings)
    assert (report.pending_tasks, report.pending_max) == (2, 2 * (100 - ratio))
    assert len(report.replicates) == 3


async def test_a_journal_of_another_chain_hides_no_stake(staker: Staker) -> None:
    """The hub knows no deal of the replicate."""
    record = ReplicateRecord(TASK_ID, status=ReplicateStatus.CONTRIBUTED)
    await hold(staker, (record, DEAL_ID))
    report = await report_of(staker.settings)
    assert report.stake is not None
    assert report.pending_tasks == 1


async def test_an_unreachable_node_is_reported_once_with_what_the_scheduler_knows(staker: Staker) -> None:
    staker.core.pool.workers[staker.wallet.address] = pool_service_pb2.GetWorkerResponse(
        worker=pool_service_pb2.Worker(connected=True, slots=1), idle_reason="No task waits."
    )
    away = staker.settings.model_copy(update={"node_address": f"http://127.0.0.1:{free_port()}"})
    report = await report_of(away)
    assert (report.connected, report.stake, report.earned) == (True, None, None)
    assert len(report.unread) == 1
