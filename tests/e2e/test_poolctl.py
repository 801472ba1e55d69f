"""The real poolctl against a running pool: each question and instruction of an operator, and how errors end."""

import asyncio
import json
import signal
import tarfile
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from patience import PATIENCE_S
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions

from e2e.operator_command import PASSWORD, PUBLISHER_PASSWORD, WITH_OPERATOR, Poolctl, write_env
from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

NOT_FOUND, UNREACHABLE, REFUSED = 3, 4, 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> Any:
    """Run a pool with two workers, a market and an order publisher."""
    async with Devnet(DevnetOptions(workers=2, sdk=True, environment=WITH_OPERATOR)) as running:
        yield running


@pytest.fixture(scope="module")
def poolctl(net: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Poolctl:
    folder = tmp_path_factory.mktemp("pool")
    write_env(folder, net)
    return Poolctl(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def failed_task(net: Devnet, requester: Requester) -> str:
    """Return a task whose app failed."""
    (task,) = await requester.buy("no-such-mode")
    await requester.follow([task])
    return task


async def test_status_shows_the_pool_and_its_wallet(net: Devnet, poolctl: Poolctl) -> None:
    document = await poolctl.json("status")
    assert document["pool"]["workerpool"] == net.workerpool
    assert document["pool"]["alive_workers"] == 2
    assert document["wallet"]["address"] == net.account("poolOwner").address
    table = await poolctl("status")
    assert (table.code, "2 alive" in table.out) == (0, True)
    assert yaml.safe_load((await poolctl("status", "-o", "yaml")).out)["pool"]["alive_workers"] == 2


async def test_workers_are_listed_and_found_by_wallet_prefix_and_name(net: Devnet, poolctl: Poolctl) -> None:
    wallets = {each.address for each in net.worker_wallets}
    assert {each["wallet_address"] for each in await poolctl.json("workers", "--alive")} == wallets
    wallet = net.account("worker-1").address
    for name in (wallet, wallet[:12], "worker-1"):
        assert (await poolctl.json("worker", "show", name))["wallet_address"] == wallet
    unknown = await poolctl("worker", "show", "worker-9")
    assert unknown.code == NOT_FOUND
    assert "no worker is named worker-9" in unknown.err


async def test_a_worker_is_drained_and_undrained(net: Devnet, poolctl: Poolctl) -> None:
    drained = await poolctl.json("worker", "drain", "worker-2", "--for", "PT1H")
    assert drained["drained_until"] is not None
    assert "drain" in (await poolctl.json("why", "worker-2"))["sentence"]
    waited = await poolctl("worker", "drain", "worker-2", "--wait")
    assert (waited.code, "holds no task" in waited.err) == (0, True)
    assert (await poolctl.json("worker", "undrain", "worker-2"))["drained_until"] is None
    assert (await poolctl.json("worker", "release", "worker-2"))["quarantined_until"] is None


async def test_a_wrong_operator_is_refused_with_the_variables_to_correct(poolctl: Poolctl) -> None:
    done = await poolctl("worker", "drain", "worker-1", IEXEC_CORE_OPERATOR_PASSWORD="another password")
    assert done.code == REFUSED
    assert "IEXEC_CORE_OPERATOR_PASSWORD" in done.err
    missing = await poolctl("tx", IEXEC_CORE_CHAIN_ADAPTER_PASSWORD="another password")
    assert missing.code == REFUSED
    assert "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD" in missing.err


async def test_a_task_is_shown_with_the_timeline_of_its_replicates(
    poolctl: Poolctl, failed_task: str
) -> None:
    assert failed_task in {each["task_id"] for each in await poolctl.json("tasks")}
    document = await poolctl.json("task", "show", failed_task[:14])
    assert document["task_id"] == failed_task
    table = (await poolctl("task", "show", failed_task)).out
    for replicate in document["replicates"]:
        for entry in replicate["history"]:
            assert entry["status"] in table
    receipts = [entry["chain_receipt"] for entry in document["history"] if entry["chain_receipt"]]
    assert receipts
    assert str(receipts[0]["block_number"]) in table


async def test_why_explains_in_one_step_what_failed(poolctl: Poolctl, failed_task: str) -> None:
    found = await poolctl.json("why", failed_task)
    assert (found["subject"], found["side"]) == ("task", "app")
    assert found["sentence"]
    lines = (await poolctl("why", failed_task)).out.splitlines()
    assert lines[0] == found["sentence"]


async def test_transactions_are_those_of_the_adapter(poolctl: Poolctl, failed_task: str) -> None:
    document = await poolctl.json("tx", "--task", failed_task)
    assert {each["kind"] for each in document["commands"]} >= {"INITIALIZE", "FINALIZE"}
    assert {each["state"] for each in document["commands"]} == {"SUCCESS"}
    assert (await poolctl("tx", "--state", "FAILURE")).code == 0


async def test_orders_are_those_of_the_publisher_and_of_the_market(net: Devnet, poolctl: Poolctl) -> None:
    offers = await poolctl.json("orders")
    listed = await poolctl.json("orders", "list")
    assert {each["orderHash"] for each in listed} <= {each["order_hash"] for each in offers["offers"]}
    assert {each["order"]["workerpool"].lower() for each in listed} == {net.workerpool.lower()}
    assert "1 order" in (await poolctl("orders", "list", "--category", "0")).out


async def test_top_refreshes_and_ends_silently_on_an_interrupt(poolctl: Poolctl) -> None:
    looks = (await poolctl("top", "-i", "0.2", "-c", "2", "-o", "json")).out.splitlines()
    assert [set(json.loads(line)) for line in looks] == [{"pool", "workers", "tasks"}] * 2
    assert "workers" in (await poolctl("top", "-c", "1")).out
    process = await poolctl.start("top", "-o", "json", "-i", "0.2")
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 130
    assert errors.decode().strip() == ""


async def test_logs_of_a_service_are_printed(poolctl: Poolctl) -> None:
    done = await poolctl("logs", "core", "-n", "5")
    assert done.code == 0
    assert len(done.out.splitlines()) == 5


async def test_a_healthy_pool_has_no_problem(poolctl: Poolctl) -> None:
    done = await poolctl("doctor", "--all")
    assert done.code == 0, done.out
    assert "PROBLEM" not in done.out
    assert "skipped" not in done.out


async def test_the_support_bundle_holds_no_secret(net: Devnet, poolctl: Poolctl, failed_task: str) -> None:
    archive = poolctl.folder / "debug.tar.gz"
    done = await poolctl("debug", "--out", str(archive))
    assert done.code == 0, done.err
    secrets = [
        PASSWORD,
        PUBLISHER_PASSWORD,
        net.services["core"].spec.environment["IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE"],
    ]
    secrets[2] = Path(secrets[2]).read_text().strip()
    with tarfile.open(archive) as opened:
        contents = {each.name.partition("/")[2]: opened.extractfile(each).read().decode() for each in opened}  # type: ignore[union-attr]
    assert json.loads(contents["missing.json"]).keys() <= {f"prometheus/{name}.txt" for name in net.services}
    assert {
        "doctor.json",
        "health/core.txt",
        "metrics/core.txt",
        "tasks-live.json",
        "settings.json",
    } <= contents.keys()
    assert "logs/core.log" in contents
    for secret in secrets:
        assert not [name for name, text in contents.items() if secret in text]


async def test_a_stopped_core_is_named(net: Devnet, poolctl: Poolctl) -> None:
    """Comes last: the pool has no core afterwards."""
    net.services["core"].stop_for_good()
    done = await poolctl("status")
    assert done.code == UNREACHABLE
    assert "connection refused" in done.err
    found = {each["code"] for each in await poolctl.json("doctor")}
    assert "PORT_CLOSED" in found
