"""CONTRIBUTE when the chain and the node's answers disagree: what stands on chain counts."""

from types import SimpleNamespace

import pytest
import structlog
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.model import Account, ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus, ReplicateStatusCause
from workerpool_worker.app.steps.contribute import contribute
from workerpool_worker.domain.record import ReplicateRecord, Result, SentTransaction
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import StepFailed, TransactionRefused

TASK_ID = TaskId("0x" + "01" * 32)
WORKER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
NEVER = 10.0**10


class Chain:
    """A chain that refuses a transaction after it has taken an earlier one, or another worker's."""

    head = 9

    def __init__(self, *, landed):
        self._landed = landed
        self._sent = False

    async def can_pay(self, gas):
        return True

    async def account(self):
        return Account(100, 0)

    async def task(self, task_id):
        contributors = (WORKER,) if self._sent and self._landed else ()
        status = ChainTaskStatus.REVEALING if self._sent else ChainTaskStatus.ACTIVE
        return ChainTask(
            *(task_id, status, task_id, 0, 1, NEVER, 0, NEVER, b"", 0, 0, contributors, b"", b"", 0, b"")
        )

    async def contribution(self, task_id):
        there = self._sent and self._landed
        status = ContributionStatus.CONTRIBUTED if there else ContributionStatus.UNSET
        return Contribution(status, bytes(32), bytes(32), ZERO_ADDRESS, 1)

    async def contribute(self, authorization, result_hash, seal, keep):
        await keep(SentTransaction("0xaa", "0xbb", 1))
        self._sent = True
        raise TransactionRefused("the nonce is used, and the contract would refuse it now")


class Run:
    """A replicate at the stage CONTRIBUTE."""

    def __init__(self, chain):
        self.record = ReplicateRecord(TASK_ID, stage=Stage.CONTRIBUTE, result=Result(digest="0x" + "02" * 32))
        self.task = SimpleNamespace(task_id=TASK_ID, worker_stake=1)
        self.assignment = SimpleNamespace(authorization=None)
        self.context = SimpleNamespace(
            chain=chain, wallet_address=WORKER, clock=SimpleNamespace(now=lambda: 1.0)
        )
        self.log = structlog.get_logger()
        self.told = None

    async def save_contribution_tx(self, transaction):
        self.record = self.record.evolve(contribute_tx=transaction)

    def complete_step(self, details):
        self.told = details


async def test_a_contribution_that_stands_on_chain_is_done_although_the_node_refused_it_again():
    """Several nodes behind one address: one mined it, the next says that its nonce is used and knows no more."""
    run = Run(Chain(landed=True))
    await contribute(run)
    assert run.told.receipt.transaction_hash == "0xaa"


async def test_a_contribution_that_came_too_late_has_the_chain_s_cause():
    run = Run(Chain(landed=False))
    with pytest.raises(StepFailed) as failed:
        await contribute(run)
    assert failed.value.cause is ReplicateStatusCause.TASK_NOT_ACTIVE
    assert run.told is None
