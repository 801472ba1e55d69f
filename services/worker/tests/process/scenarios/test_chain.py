"""What the chain forbids, on the real contracts: the cause that the worker reports, and what it does not send."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from workerpool_devnet.chain.transactions import send
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.doubles.core_peer import cause_of, refusing_as_unknown
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.shared_worker import SharedWorker
from services.worker.tests.harness.waiting import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("log_of_a_failure"),
]

RESULT = (
    "echo x > /iexec_out/r; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json'
)
WAITS = f"/bin/sh -c 'echo up; while [ ! -e /iexec_out/go ]; do sleep 0.1; done; {RESULT}'"
CONTRIBUTION_DEADLINE_S = 7 * 300
"""Seconds from the deal to the deadline in the smallest category."""
DIGEST = b"\x01" * 32
TOO_MUCH = 10**18
"""More nRLC than the wallet has."""

Task = Callable[[SharedWorker], Awaitable[pb.Assignment]]


def other_wallet(pool: Pool) -> Wallet:
    wallet: Wallet = pool.chain.account("another worker")
    return wallet


async def contribute_as(pool: Pool, wallet: Wallet, task: pb.TaskDescription) -> None:
    """Contribute to a task from another wallet, which is a consensus at trust 1."""
    task_id = TaskId(task.task_id)
    call = calls.contribute(
        task_id,
        result_hash(task_id, DIGEST),
        result_seal(wallet.address, task_id, DIGEST),
        pool.authorize(wallet, task).signature,
    )
    await asyncio.to_thread(send, pool.chain.chain.rpc, wallet, pool.chain.hub, call.data)


async def pass_deadline(pool: Pool) -> None:
    """Set the chain's clock forward, and wait until the worker has seen it: blocks are its only clock."""
    await asyncio.to_thread(pool.chain.chain.increase_time, CONTRIBUTION_DEADLINE_S)
    block = int(pool.chain.chain.rpc.call("eth_blockNumber"), 16)
    await wait_until(lambda: pool.core.heartbeats[-1].head_block >= block)


async def abort(pool: Pool, task_id: str) -> None:
    pool.core.command(task_id, pb.ACTION_ABORT)
    await pool.core.status(task_id, "ABORTED")


async def without_stake(shared: SharedWorker) -> pb.Assignment:
    return await shared.pool.task(worker_stake=TOO_MUCH)


async def with_consensus(shared: SharedWorker) -> pb.Assignment:
    assignment = await shared.pool.task()
    await contribute_as(shared.pool, other_wallet(shared.pool), assignment.task)
    return assignment


async def contributed_before(shared: SharedWorker) -> pb.Assignment:
    """Return a task to which this worker has contributed, and whose end here the scheduler has forgotten since."""
    pool, core = shared.pool, shared.pool.core
    # One contribution is no consensus at this trust.
    (assignment,) = await pool.bag(1, trust=3)
    task_id = assignment.task.task_id
    core.assign(assignment)
    await core.status(task_id, "CONTRIBUTED")
    refused = refusing_as_unknown(core, task_id, "ABORTED")
    core.command(task_id, pb.ACTION_ABORT)
    await wait_until(lambda: refused)
    core.answer = None
    core.updates.pop(task_id)
    return assignment


async def too_late(shared: SharedWorker) -> pb.Assignment:
    assignment = await shared.pool.task()
    await pass_deadline(shared.pool)
    return assignment


@pytest.mark.parametrize(
    ("task", "cause"),
    [
        pytest.param(without_stake, "STAKE_TOO_LOW", id="stake"),
        pytest.param(with_consensus, "TASK_NOT_ACTIVE", id="consensus of others"),
        pytest.param(contributed_before, "CONTRIBUTION_ALREADY_SET", id="own contribution"),
        pytest.param(too_late, "CONTRIBUTION_TIMEOUT", id="deadline"),
    ],
)
async def test_each_cause_alone_stops_a_task_at_its_start(
    shared: SharedWorker, task: Task, cause: str
) -> None:
    """Scenario 10: each cause of the pre-checks alone, as the real hub has it."""
    assignment = await task(shared)
    shared.pool.core.assign(assignment)
    failed = await shared.pool.core.status(assignment.task.task_id, "START_FAILED")
    assert cause_of(failed) == cause
    await abort(shared.pool, assignment.task.task_id)


def blocked_by(log: str, task_id: str) -> list[str]:
    """Return every cause that the worker logged for a task."""
    lines = (json.loads(line) for line in log.splitlines() if task_id in line)
    return [
        cause
        for line in lines
        if line["event"] == "replicate.contribution_blocked"
        for cause in line["causes"]
    ]


async def test_of_several_causes_the_first_is_reported_and_all_are_logged(shared: SharedWorker) -> None:
    """Scenario 10: several causes together."""
    pool = shared.pool
    assignment = await pool.task(worker_stake=TOO_MUCH)
    task_id = assignment.task.task_id
    await contribute_as(pool, other_wallet(pool), assignment.task)
    await pass_deadline(pool)
    pool.core.assign(assignment)
    assert cause_of(await pool.core.status(task_id, "START_FAILED")) == "STAKE_TOO_LOW"
    blocked = await wait_until(lambda: blocked_by(shared.worker.log, task_id))
    assert blocked == ["STAKE_TOO_LOW", "TASK_NOT_ACTIVE", "CONTRIBUTION_TIMEOUT"]
    await abort(pool, task_id)


async def test_a_consensus_without_this_worker_sends_no_transaction(shared: SharedWorker) -> None:
    """Scenario 23: other workers reached consensus meanwhile, so a contribution would revert."""
    pool = shared.pool
    assignment = await pool.task(WAITS)
    task_id = assignment.task.task_id
    pool.core.assign(assignment)
    await wait_until(lambda: "up" in pool.core.output(task_id))
    await contribute_as(pool, other_wallet(pool), assignment.task)
    before = transactions(pool)
    (shared.worker.folder / task_id / "output/iexec_out/go").touch()
    assert cause_of(await pool.core.status(task_id, "CONTRIBUTE_FAILED")) == "TASK_NOT_ACTIVE"
    assert transactions(pool) == before
    await abort(pool, task_id)


def transactions(pool: Pool) -> int:
    """Return how many transactions of the worker are mined."""
    return int(pool.chain.chain.rpc.call("eth_getTransactionCount", pool.worker.address, "latest"), 16)


async def test_a_reveal_without_its_block_is_refused_and_with_it_done(shared: SharedWorker) -> None:
    """Scenario 24: no block in the command."""
    pool, core = shared.pool, shared.pool.core
    first, second = await pool.bag(2)
    core.assign(first, second)
    blocks = {}
    for each in (first, second):
        contributed = await core.status(each.task.task_id, "CONTRIBUTED")
        blocks[each.task.task_id] = contributed.details.chain_receipt.block_number
    core.command(first.task.task_id, pb.ACTION_REVEAL)
    failed = await core.status(first.task.task_id, "REVEAL_FAILED")
    assert cause_of(failed) == "CONSENSUS_BLOCK_MISSING"
    core.command(second.task.task_id, pb.ACTION_REVEAL, block=blocks[second.task.task_id])
    await core.status(second.task.task_id, "REVEALED")
    for task_id in blocks:
        await abort(pool, task_id)
