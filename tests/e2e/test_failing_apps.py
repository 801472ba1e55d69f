"""Deals that fail through the requester's side end in minutes, say why, and take no worker out of service."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from patience import PATIENCE_S
from workerpool_devnet.demo.results import open_result
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.options import DevnetOptions
from workerpool_kit.grpc.client import open_channel
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_poco.protocol.results import callback_digest
from workerpool_protocol.core.v1.pool_service_pb2 import ListWorkersRequest
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatusCause
from workerpool_protocol.core.v1.task_pb2 import Task

from e2e.requester import PRICE, Requester
from e2e.shell_image import ensure_shell_image

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

SLOT_MIB = 64
RESULT = (
    "echo x > /iexec_out/r; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json'
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with two workers of small slots."""
    small = {"worker": {"WORKERPOOL_WORKER_SLOT_MEMORY_MIB": str(SLOT_MIB)}}
    async with Devnet(DevnetOptions(workers=2, environment=small)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet) -> Requester:
    """Return a requester with an app that is a shell."""
    return Requester(net, await net.create_app("shell", ensure_shell_image()), ())


def script(text: str) -> str:
    return f"/bin/sh -c '{text}'"


async def buy(requester: Requester, params: DealParams, *, price: int = 0, **fields: Any) -> TaskId:
    net = requester.net
    purchase = Purchase(
        requester=net.accounts["requester"],
        app=requester.app,
        app_owner=net.accounts["requester"],
        workerpool=net.workerpool,
        pool_owner=net.accounts["poolOwner"],
        params=params,
        workerpool_price=price,
        **fields,
    )
    (deal,) = await asyncio.to_thread(net.market.buy, purchase)
    return TaskId(deal.task_ids[0])


async def followed(requester: Requester, tasks: Iterable[TaskId]) -> list[Task]:
    wanted = list(tasks)
    progress = await requester.follow(wanted)
    return [progress.tasks[task] for task in wanted]


def error_cause(task: Task) -> str:
    return ReplicateStatusCause.Name(task.error_cause).removeprefix("REPLICATE_STATUS_CAUSE_")


async def opened(requester: Requester, task: TaskId, folder: Path) -> dict[str, str]:
    """Return the texts of the result, after comparing its digest with the chain."""
    record = await requester.on_chain(task)
    assert record.completed
    result = await open_result(requester.net.services["result_proxy"].grpc, task, record.task, folder)
    assert result.matches
    return {name: (folder / name).read_text() for name in result.files}


async def test_app_exit_3_three_failing_deals_do_not_block_an_ordinary_one(
    requester: Requester, tmp_path: Path
) -> None:
    failing = [await buy(requester, DealParams(args=script("echo said; exit 3"))) for _ in range(3)]
    tasks = await followed(requester, failing)

    for number, task in enumerate(tasks):
        assert error_cause(task) == "APP_COMPUTE_FAILED"
        assert task.error_message == "the app ended with exit code 3"
        assert len(task.replicates) <= 2
        files = await opened(requester, failing[number], tmp_path / str(number))
        assert files["stdout.txt"] == "said\n"
        assert "exit code: 3" in files["error.txt"]

    async with open_channel(requester.net.services["core"].grpc) as channel:
        listed = await PoolServiceStub(channel).ListWorkers(ListWorkersRequest(), timeout=PATIENCE_S)
    assert [each.HasField("quarantined_until") for each in listed.workers] == [False, False]
    ordinary = await buy(requester, DealParams(args=script(RESULT)))
    await followed(requester, [ordinary])
    assert (await opened(requester, ordinary, tmp_path / "ordinary"))["r"] == "x\n"


@pytest.mark.parametrize(
    ("text", "category", "cause", "sentence"),
    [
        pytest.param(
            f"{RESULT}; exit 3",
            "XS",
            "APP_COMPUTE_FAILED",
            "the app ended with exit code 3",
            marks=pytest.mark.full,
            id="app-exit-3-with-result",
        ),
        pytest.param(
            f'trap "" TERM; {RESULT}; sleep 4000',
            "DEV-6S",
            "APP_COMPUTE_TIMEOUT",
            "the app was killed at its time limit of 6 s",
            id="app-time-limit",
        ),
        pytest.param(
            f"{RESULT}; x=$(yes | head -c 300000000); echo $x",
            "XS",
            "APP_OUT_OF_MEMORY",
            f"out of memory, limit {SLOT_MIB} MiB",
            id="app-memory",
        ),
    ],
)
async def test_a_failing_app_with_a_result_ends_as_an_error_result(
    requester: Requester, tmp_path: Path, text: str, category: str, cause: str, sentence: str
) -> None:
    task_id = await buy(
        requester, DealParams(args=script(text)), category=list(CATEGORIES).index(category), price=PRICE
    )
    (task,) = await followed(requester, [task_id])
    assert (error_cause(task), task.error_message) == (cause, sentence)
    files = await opened(requester, task_id, tmp_path / "result")
    assert "r" not in files
    assert sentence in files["error.txt"]


@pytest.mark.full
async def test_encryption_standard_is_an_error_result_immediately(
    requester: Requester, tmp_path: Path
) -> None:
    params = DealParams(args=script(RESULT), result_encryption=True)
    task_id = await buy(requester, params)
    (task,) = await followed(requester, [task_id])
    assert error_cause(task) == "DEAL_PARAMS_INVALID"
    files = await opened(requester, task_id, tmp_path / "result")
    assert "r" not in files
    assert "iexec_result_encryption" in files["error.txt"]


@pytest.mark.full
async def test_deal_proxy_url_of_a_stranger_completes_on_the_pools_proxy(
    requester: Requester, tmp_path: Path
) -> None:
    params = DealParams(args=script(RESULT), result_storage_proxy="https://result.example")
    task_id = await buy(requester, params)
    await followed(requester, [task_id])
    assert (await opened(requester, task_id, tmp_path / "result"))["r"] == "x\n"


async def test_callback_failure_completes_with_empty_callback_bytes(requester: Requester) -> None:
    params = DealParams(args=script("exit 3"))
    task_id = await buy(requester, params, callback=requester.net.contracts.rlc, price=PRICE)
    (task,) = await followed(requester, [task_id])
    assert error_cause(task) == "APP_COMPUTE_FAILED"
    record = await requester.on_chain(task_id)
    assert record.completed
    assert record.task.results_callback == b""
    assert to_hex(record.task.result_digest) == to_hex(callback_digest(b""))
