"""A node that fails in one way, or in several at once: every task completes, and no process ends of it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import http_calls
import pytest
from sequencer.behaviour import SHAPES
from sequencer.pool import ShapedPool
from workerpool_poco.protocol.statuses import TaskStatus

from e2e import history
from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

MENDED_WITHIN_S = 60.0
FAULTS: dict[str, dict[str, Any]] = {
    "429 with Retry-After": {"too_many_probability": 0.15, "retry_after_s": 1},
    "429 without Retry-After": {"too_many_probability": 0.15},
    "a rate of 20 calls per second": {"calls_per_second": 20},
    "compute units": {"compute_units_probability": 0.1},
    "null receipts": {"null_receipt_probability": 0.5},
    "pending receipts": {"pending_receipt_probability": 0.5},
    "null gas prices": {"null_gas_price_probability": 0.5},
    "truncated JSON": {"truncated_probability": 0.15},
    "502": {"bad_gateway_probability": 0.2},
    "cut connections": {"cut_probability": 0.15},
    "HTML": {"html_probability": 0.2},
    "a back-end that lags": {"lag_blocks": 4, "lag_probability": 0.4},
    "stale reverts": {"stale_revert_probability": 0.3},
    "logs of 10 blocks": {"log_range": 10, "log_words": "free"},
    "dropped transactions": {"drop_probability": 0.3},
}
"""On every shape."""
SEQUENCER_FAULTS: dict[str, dict[str, Any]] = {
    "late answers": {"late_probability": 0.3},
    "exceeded deadlines": {"deadline_probability": 0.3, "late_s": 3.0},
    "base fee spikes": {"spike_probability": 0.4},
}
SEVERAL: dict[str, Any] = {
    "too_many_probability": 0.05,
    "bad_gateway_probability": 0.05,
    "cut_probability": 0.03,
    "truncated_probability": 0.03,
    "null_receipt_probability": 0.2,
    "lag_blocks": 2,
    "lag_probability": 0.2,
    "drop_probability": 0.1,
}


@pytest.fixture(autouse=True)
def repaired(shaped: ShapedPool) -> Iterator[None]:
    """Repair the node after each test."""
    yield
    shaped.node.change(**vars(SHAPES[shaped.shape]))


async def test_tasks_complete_on_a_node_with_several_faults(shaped: ShapedPool, requester: Requester) -> None:
    await complete_on_a_bad_node(shaped, requester, SEVERAL)


@pytest.mark.full
@pytest.mark.parametrize("fault", FAULTS)
async def test_tasks_complete_on_a_node_with_one_fault(
    shaped: ShapedPool, requester: Requester, fault: str
) -> None:
    await complete_on_a_bad_node(shaped, requester, FAULTS[fault])


@pytest.mark.full
@pytest.mark.parametrize("shaped", ["sequencer"], indirect=True, scope="module")
@pytest.mark.parametrize("fault", SEQUENCER_FAULTS)
async def test_tasks_complete_on_a_busy_sequencer(
    shaped: ShapedPool, requester: Requester, fault: str
) -> None:
    await complete_on_a_bad_node(shaped, requester, SEQUENCER_FAULTS[fault])


async def complete_on_a_bad_node(shaped: ShapedPool, requester: Requester, switches: dict[str, Any]) -> None:
    """Buy tasks on a bad node; check that they complete, that no process ended, and the health once it is repaired."""
    pids = {name: service.pid for name, service in shaped.net.services.items()}
    shaped.node.change(**switches)
    tasks = await requester.buy("one", volume=2) + await requester.buy("all", trust=5)

    progress = await requester.follow(tasks)

    for task in tasks:
        assert history.of_task(progress.tasks[task])[-1] is TaskStatus.COMPLETED, progress.tasks[task]
        assert (await requester.on_chain(task)).completed
    assert {name: service.pid for name, service in shaped.net.services.items()} == pids
    shaped.node.change(**vars(SHAPES[shaped.shape]))
    async with asyncio.timeout(MENDED_WITHIN_S):
        for service in shaped.net.services.values():
            while (await http_calls.get(f"{service.http}/actuator/health", timeout=10)).status != 200:
                await asyncio.sleep(0.2)
