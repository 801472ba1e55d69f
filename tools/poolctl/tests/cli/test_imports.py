"""What each command imports: a library that a command does not use must not cost it time."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as adapter
from workerpool_protocol.core.v1 import deal_service_pb2 as deals
from workerpool_protocol.core.v1 import pool_service_pb2 as pool
from workerpool_protocol.core.v1 import task_pb2, task_service_pb2
from workerpool_protocol.core.v1.pool_service_pb2 import Worker

TASK, WALLET = "0x" + "ab" * 32, "0x" + "ab" * 20
HEAVY = frozenset(
    {
        "aiohttp",
        "asyncio",
        "cryptography",
        "google.protobuf",
        "grpc",
        "importlib.metadata",
        "prometheus_client",
        "pydantic",
        "pygments",
        "rich",
        "structlog",
        "web3",
        "workerpool_poco.chain",
        "workerpool_transactions",
        "yaml",
    }
)
"""Modules whose import takes some milliseconds or more."""
SETTINGS = frozenset({"importlib.metadata", "pydantic"})
CALL = SETTINGS | {"asyncio", "google.protobuf", "grpc", "structlog"}
TABLE = CALL | {"rich"}
IMPORTS: dict[tuple[str, ...], frozenset[str]] = {
    ("--help",): frozenset(),
    ("status", "--help"): frozenset(),
    ("init", "--help"): frozenset(),
    ("--version",): frozenset({"importlib.metadata"}),
    ("status",): TABLE,
    ("status", "-o", "json"): CALL,
    ("status", "-o", "yaml"): CALL | {"yaml"},
    ("workers",): TABLE,
    ("worker", "show", WALLET, "-o", "json"): CALL,
    ("tasks", "-o", "json"): CALL,
    ("task", "show", TASK): TABLE,
    ("why", TASK): TABLE,
    ("why", WALLET, "-o", "json"): CALL,
    ("deals",): TABLE,
    ("tx",): TABLE,
    ("top", "--count", "1", "-o", "json"): CALL,
}
RUN = """
import json, sys
from poolctl.cli.app import main
try:
    main()
finally:
    print(json.dumps([name for name in json.loads({heavy!r}) if name in sys.modules]), file=sys.stderr)
"""


ANSWERS: dict[str, dict[str, Message]] = {
    "workerpool.core.v1.PoolService": {
        "GetPoolStatus": pool.GetPoolStatusResponse(),
        "ListWorkers": pool.ListWorkersResponse(workers=[Worker(wallet_address=WALLET)]),
        "GetWorker": pool.GetWorkerResponse(worker=Worker(wallet_address=WALLET)),
    },
    "workerpool.core.v1.TaskService": {
        "GetTask": task_service_pb2.GetTaskResponse(task=task_pb2.Task(task_id=TASK)),
        "ListTasks": task_service_pb2.ListTasksResponse(tasks=[task_pb2.Task(task_id=TASK)]),
    },
    "workerpool.core.v1.DealService": {
        "ListDeals": deals.ListDealsResponse(deals=[deals.Deal(deal_id=TASK)]),
    },
    "workerpool.chain_adapter.v1.TransactionService": {
        "GetWallet": adapter.GetWalletResponse(address=WALLET),
        "ListCommands": adapter.ListCommandsResponse(),
    },
}
"""What a pool of one worker and one task answers."""


def handler(answer: Message) -> Any:
    """Return the handler of a method that always answers the same."""
    return grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer.SerializeToString())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve a pool; return the URL of all its services."""
    ports = free_service_ports()
    server = grpc.server(ThreadPoolExecutor(2))
    for service, answers in ANSWERS.items():
        handlers = {method: handler(answer) for method, answer in answers.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    server.add_insecure_port(f"127.0.0.1:{ports.grpc}")
    server.start()
    with socket.create_server(("127.0.0.1", ports.http)):
        yield f"http://127.0.0.1:{ports.http}"
    server.stop(None).wait()


@pytest.mark.parametrize("words", IMPORTS, ids=lambda words: " ".join(each[:8] for each in words))
def test_a_command_imports_what_it_uses_and_no_more(url: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    environment = {
        "IEXEC_CORE_URL": url,
        "IEXEC_CORE_CHAIN_ADAPTER_URL": url,
        "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD": "a password" if "tx" in words else "",
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(heavy=json.dumps(sorted(HEAVY))), *words],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stderr.splitlines()[-1])) == IMPORTS[words]
