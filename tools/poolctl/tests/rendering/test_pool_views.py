"""The pool and its workers as tables, made from the services' own messages."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from poolctl.adapters.plain import plain
from poolctl.rendering.pool_views import status_view, worker_state, worker_view, workers_view
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as adapter
from workerpool_protocol.core.v1 import pool_service_pb2 as pool

from .shown import shown

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
WALLET = "0x" + "Ab" * 20


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(NOW + seconds))


def worker(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "wallet_address": WALLET,
        "name": "worker-1",
        "slots": 4,
        "connected": True,
        "memory_bytes": 8 << 30,
        "last_seen_at": at(-5),
    }
    return plain(pool.Worker(**fields | changes))


def test_the_status_shows_workers_tasks_chain_and_wallet() -> None:
    summary = pool.GetPoolStatusResponse(
        workerpool="0x1",
        alive_workers=3,
        registered_cpus=12,
        computing_cpus=5,
        tasks_by_status={"RUNNING": 2, "COMPLETED": 7, "FAILED": 0, "RECEIVED": 0},
        latest_block=100,
        latest_block_time=at(-8),
        cursor_block=98,
    )
    wallet = adapter.GetWalletResponse(address="0xw", balance_wei="1", transactions_left=250)
    document = {"pool": plain(summary), "wallet": plain(wallet), "notes": ["a remark"]}
    text = shown(status_view(document, NOW))
    for part in (
        "3 alive, 5 of 12 CPUs",
        "2 RUNNING",
        "100 (8 s ago), 2 unread",
        "for 250 transactions",
        "a remark",
    ):
        assert part in text
    assert "RECEIVED" not in text


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "idle"),
        ({"used_slots": 1}, "computing"),
        ({"parked_reason": "disk"}, "parked"),
        ({"connected": False}, "away"),
        ({"drained_until": at(3_600)}, "drained, 1 h 0 min left"),
        ({"quarantined_until": at(60)}, "quarantined, 1 min 0 s left"),
        ({"drained_until": Timestamp(seconds=int(NOW) + 3_155_760_000)}, "drained"),
    ],
)
def test_a_worker_has_one_state(changes: dict[str, Any], state: str) -> None:
    assert worker_state(worker(**changes), NOW) == state


def test_workers_are_one_a_line() -> None:
    text = shown(workers_view([worker(), worker(name="worker-2", used_slots=2, gpus=1)], NOW))
    assert WALLET in text
    assert "worker-2" in text
    assert "2/4" in text
    assert text.rstrip().endswith("2 workers")


def test_a_pool_without_workers_says_so() -> None:
    assert "no worker has registered" in shown(workers_view([], NOW))


def test_one_worker_shows_its_tasks() -> None:
    text = shown(worker_view(worker(task_ids=["0xt1", "0xt2"], parked_reason="the disk is full"), NOW))
    assert "0xt1" in text
    assert "the disk is full" in text
