"""Wrong input ends in one sentence that names the cause, within a deadline."""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import http_calls
import pytest
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.statuses import TaskStatus as T
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatusCause
from workerpool_protocol.core.v1.task_pb2 import Task

from e2e import history
from e2e.requester import PRICE, Requester

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

START_SECONDS = 40


def environment(net: Devnet, service: str, changes: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a service of the pool with other ports and `changes`."""
    ports = free_service_ports()
    spec = net.services[service].spec
    own = {name: value for name, value in spec.environment.items() if name not in _replaced(changes)}
    listening = {name: str(ports.http) for name in _http_variables(net, service)}
    return own | listening | {"WORKERPOOL_GRPC_PORT": str(ports.grpc)} | dict(changes)


def _replaced(changes: Mapping[str, str]) -> set[str]:
    return {f"{name}_FILE" for name in changes} | {name.removesuffix("_FILE") for name in changes}


async def start(net: Devnet, service: str, changes: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *net.services[service].spec.command,
        env=environment(net, service, changes),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def ends_with(net: Devnet, service: str, changes: Mapping[str, str]) -> tuple[int, str]:
    """Start a service that must fail; return its exit code and its output within a deadline."""
    process = await start(net, service, changes)
    try:
        output, _ = await asyncio.wait_for(process.communicate(), START_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode()


def sentence(output: str) -> str:
    """Return the message of the process: its only line that is no log event."""
    (line,) = (line for line in output.splitlines() if line and not line.startswith("{"))
    return line


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("core", "IEXEC_CORE_WALLET_PASSWORD"),
        ("chain_adapter", "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD"),
        ("worker-1", "IEXEC_WORKER_WALLET_PASSWORD"),
    ],
)
async def test_a_wrong_wallet_password_is_named(
    net: Devnet, tmp_path: Path, service: str, variable: str
) -> None:
    code, output = await ends_with(net, service, {variable: "not the password"})
    assert code == 1, output
    assert "password" in sentence(output).lower()
    assert "not the password" not in output


async def test_an_address_without_a_workerpool_is_named(net: Devnet) -> None:
    code, output = await ends_with(net, "core", {"POOL_ADDRESS": net.contracts.rlc})
    assert code == 1, output
    assert net.contracts.rlc in sentence(output)


async def test_a_pool_of_another_owner_is_named(net: Devnet) -> None:
    worker = net.services["worker-1"].spec.environment
    changes = {
        "IEXEC_CORE_WALLET_PATH": worker["IEXEC_WORKER_WALLET_PATH"],
        "IEXEC_CORE_WALLET_PASSWORD_FILE": worker["IEXEC_WORKER_WALLET_PASSWORD_FILE"],
    }
    code, output = await ends_with(net, "core", changes)
    assert code == 1, output
    last = sentence(output)
    assert net.worker_wallets[0].address in last
    assert net.accounts["poolOwner"].address in last


async def test_a_worker_of_another_pool_is_refused(net: Devnet) -> None:
    code, output = await ends_with(net, "worker-1", {"POOL_ADDRESS": net.contracts.rlc})
    assert code == 1, output
    assert net.workerpool in sentence(output)


@pytest.mark.parametrize("service", ["core", "chain_adapter", "result_proxy"])
async def test_unreachable_chain_is_out_of_service_and_named(net: Devnet, service: str) -> None:
    ports = free_service_ports()
    nowhere = f"http://127.0.0.1:{free_service_ports().http}"
    own_ports = {name: str(ports.http) for name in _http_variables(net, service)}
    process = await start(net, service, {"IEXEC_BLOCKCHAIN_NODE_ADDRESS": nowhere, **own_ports})
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            while nowhere not in (line := (await process.stdout.readline()).decode()):
                assert line, "the process ended without naming the node"
        assert (await _health(ports.http))["status"] == "OUT_OF_SERVICE"
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), START_SECONDS)
    assert process.returncode == 0


def _http_variables(net: Devnet, service: str) -> list[str]:
    spec = net.services[service].spec
    return [name for name, value in spec.environment.items() if value == str(spec.ports.http)]


async def _health(port: int) -> dict[str, object]:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                health: dict[str, object] = (
                    await http_calls.get(f"http://127.0.0.1:{port}/actuator/health")
                ).json()
                return health
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def test_a_worker_of_another_version_is_refused(net: Devnet) -> None:
    ports = free_service_ports()
    changes = {
        "IEXEC_CORE_REQUIRED_WORKER_VERSION": "9.9.9",
        "IEXEC_CORE_PORT": str(ports.http),
        "WORKERPOOL_GRPC_PORT": str(ports.grpc),
        "MONGO_DATABASE": net.database.new_name("core"),
    }
    core = await start(net, "core", changes)
    try:
        await _health(ports.http)
        code, output = await ends_with(net, "worker-1", {"IEXEC_CORE_URL": f"http://127.0.0.1:{ports.http}"})
    finally:
        core.terminate()
        await core.communicate()
    assert code == 1, output
    assert "9.9.9" in sentence(output)
    assert "0.1.0" in sentence(output)


async def test_unknown_and_malformed_settings_are_named(net: Devnet) -> None:
    changes = {"IEXEC_CORE_WALLET_PASWORD": "1", "IEXEC_START_BLOCK_NUMBER": "soon"}
    code, output = await ends_with(net, "core", changes)
    assert code == 2, output
    assert "IEXEC_CORE_WALLET_PASWORD" in output
    assert "IEXEC_START_BLOCK_NUMBER" in output


FAULTS: dict[str, tuple[str, str, str]] = {
    "no such image": ("127.0.0.1:9/no/such/image:1", "", "APP_IMAGE_DOWNLOAD_FAILED"),
    "image name": ("--privileged", "", "APP_IMAGE_NAME_INVALID"),
    "data-url-forms": ("", "http://a b/x", "INPUT_FILES_DOWNLOAD_FAILED"),
    "data-private": ("", "http://127.0.0.2:9/x", "INPUT_FILES_DOWNLOAD_FAILED"),
    "input file not there": ("", "http://127.0.0.1:9/x", "INPUT_FILES_DOWNLOAD_FAILED"),
}
"""Image, input file and expected cause; an empty text means the sound one."""


@pytest.mark.parametrize(("app_uri", "input_file", "cause"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_of_the_requester_ends_in_an_error_result(
    net: Devnet, requester: Requester, image: str, app_uri: str, input_file: str, cause: str
) -> None:
    """At trust 1 a second worker confirms it. Nothing waits for a deadline."""
    app = await net.create_app(f"fault {app_uri}{input_file}", app_uri or image)
    params = DealParams(input_files=(input_file,) if input_file else ())
    deal = await net.buy(app, params=params, workerpool_price=PRICE)
    task = deal.task_ids[0]

    progress = await requester.follow([task])

    _ended_with(progress.tasks[task], cause)
    assert (await requester.on_chain(task)).completed


@pytest.mark.parametrize(
    ("checksum", "cause"),
    [
        pytest.param("zero", "DATASET_FILE_BAD_CHECKSUM", id="data-no-checksum"),
        pytest.param("other", "DATASET_FILE_BAD_CHECKSUM", id="other checksum"),
        pytest.param("right", "", id="right checksum"),
    ],
)
async def test_a_dataset_is_verified(net: Devnet, requester: Requester, checksum: str, cause: str) -> None:
    """Scenario 17: bad and empty checksum. The app does not run without the data that its requester bought."""
    async with aiohttp.ClientSession() as session, session.get(requester.documents[0]) as response:
        digest = hashlib.sha256(await response.read()).digest()
    owner = net.accounts["requester"]
    dataset = await asyncio.to_thread(
        net.market.create_dataset,
        owner,
        f"dataset with {checksum} checksum",
        requester.documents[0],
        checksum={"zero": bytes(32), "other": b"\x01" * 32, "right": digest}[checksum],
    )
    purchase = Purchase(
        requester=owner,
        app=requester.app,
        app_owner=owner,
        workerpool=net.workerpool,
        pool_owner=net.accounts["poolOwner"],
        params=DealParams(args="all", input_files=requester.documents),
        dataset=dataset,
        workerpool_price=PRICE,
    )
    (deal,) = await asyncio.to_thread(net.market.buy, purchase)
    task = deal.task_ids[0]

    progress = await requester.follow([task])

    _ended_with(progress.tasks[task], cause)
    assert (await requester.on_chain(task)).completed


async def test_an_app_that_fails_ends_in_an_error_result(
    net: Devnet, requester: Requester, image: str
) -> None:
    app = await net.create_app("writes nothing", image)
    deal = await net.buy(app, params=DealParams(args="nonsense"), workerpool_price=PRICE)
    task = deal.task_ids[0]

    progress = await requester.follow([task])

    _ended_with(progress.tasks[task], "APP_COMPUTE_FAILED")
    assert (await requester.on_chain(task)).completed


def _ended_with(task: Task, cause: str) -> None:
    """Check that a task completed after at most two attempts, with an error result unless the cause is empty."""
    name = ReplicateStatusCause.Name(task.error_cause).removeprefix("REPLICATE_STATUS_CAUSE_")
    assert name == (cause or "UNSPECIFIED")
    assert bool(task.error_message) is bool(cause)
    assert history.of_task(task)[-1] is T.COMPLETED
    assert len(task.replicates) <= 2
