"""REVEAL when the node's answers lag behind the chain: a reveal that is given up costs the worker its stake."""

from types import SimpleNamespace

import structlog
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId, from_hex
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_worker.app.steps.reveal import reveal
from workerpool_worker.domain.record import ReplicateRecord, Result
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Receipt

TASK_ID, DIGEST = TaskId("0x" + "01" * 32), "0x" + "02" * 32
HASH = result_hash(TASK_ID, from_hex(DIGEST))
NEVER = 10**10


class LaggingChain:
    """The head is there, but the node that is asked for the task knows of the consensus some blocks later."""

    def __init__(self, blocks):
        self.head = 7
        self._consensus_is_known_at = self.head + blocks

    async def wait_block(self, number, limit_s):
        self.head = max(self.head, number)
        return True

    async def task(self, task_id):
        known = self.head >= self._consensus_is_known_at
        status = ChainTaskStatus.REVEALING if known else ChainTaskStatus.ACTIVE
        value = HASH if known else bytes(32)
        return ChainTask(
            *(task_id, status, task_id, 0, 1, NEVER, NEVER, NEVER, value, 0, 1, (), b"", b"", 0, b"")
        )

    async def contribution(self, task_id):
        return Contribution(ContributionStatus.CONTRIBUTED, HASH, bytes(32), ZERO_ADDRESS, 1)

    async def reveal(self, task_id, digest, keep):
        return Receipt(self.head, "0xaa")


class Run:
    """A replicate at the stage REVEAL."""

    def __init__(self, chain):
        self.record = ReplicateRecord(
            TASK_ID, stage=Stage.REVEAL, result=Result(digest=DIGEST), consensus_block=7
        )
        self.task = SimpleNamespace(task_id=TASK_ID)
        self.context = SimpleNamespace(chain=chain, clock=SimpleNamespace(now=lambda: 1.0))
        self.log = structlog.get_logger()
        self.save_reveal_tx = None
        self.told = None

    async def save(self, **changes):
        self.record = self.record.evolve(**changes)

    def complete_step(self, details):
        self.told = details


async def test_a_node_that_is_a_few_blocks_behind_is_waited_for():
    run = Run(LaggingChain(5))
    await reveal(run)
    assert run.told is not None
    assert run.told.receipt == Receipt(12, "0xaa")


async def test_a_consensus_that_is_gone_is_waited_for_without_a_word():
    """A reorganisation took it back; the scheduler says what comes next."""
    run = Run(LaggingChain(NEVER))
    await reveal(run)
    assert run.told is None
    assert run.record.stage is Stage.AWAIT_REVEAL
