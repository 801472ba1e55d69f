"""REVEAL: the worker loses its stake if it gives up, so lagging nodes and reorganizations are tolerated."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from workerpool_poco.protocol.ids import TaskId, from_hex
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import (
    ChainTaskStatus,
    ContributionStatus,
    ReplicateStatus,
    ReplicateStatusCause,
)
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.reveal import reveal
from workerpool_worker.domain.record import Result
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Receipt
from workerpool_worker.domain.wallet.transactions import TransactionKind
from workerpool_worker.errors import ChainUnavailable, StepFailed, TransactionRefused, WalletOutOfGas

from services.worker.tests.doubles.chain import NO_CONTRIBUTION, FakeChain
from services.worker.tests.harness.builders import LATER, TASK_ID, chain_task
from services.worker.tests.harness.context import make_context, make_replicate, updates
from services.worker.tests.harness.waiting import wait_until

SENT = {TransactionKind.REVEAL: "0xcc"}
DIGEST, OTHER_DIGEST = "0x" + "02" * 32, "0x" + "03" * 32
HASH = result_hash(TASK_ID, from_hex(DIGEST))
CONTRIBUTED = replace(NO_CONTRIBUTION, status=ContributionStatus.CONTRIBUTED, result_hash=HASH)
REJECTED = replace(CONTRIBUTED, status=ContributionStatus.REJECTED)
OTHER = replace(CONTRIBUTED, result_hash=b"x" * 32)
PROVED = replace(CONTRIBUTED, status=ContributionStatus.PROVED)
REVEALING = chain_task(status=ChainTaskStatus.REVEALING, consensus_value=HASH)
LATE = replace(REVEALING, reveal_deadline=0)


@dataclass
class LaggingChain(FakeChain):
    """A chain whose node knows the consensus only at a later block."""

    known_at: int = 0

    async def task(self, task_id: TaskId) -> ChainTask:
        return REVEALING if self.head >= self.known_at else chain_task()


class RefusingChain(FakeChain):
    async def reveal(self, task_id: TaskId, digest: bytes, *, foresee: bool = True) -> Receipt:
        self.sent.append("reveal")
        raise TransactionRefused("reverted")


class EmptyWallet(FakeChain):
    async def reveal(self, task_id: TaskId, digest: bytes, *, foresee: bool = True) -> Receipt:
        raise WalletOutOfGas("insufficient funds")


def replicate_on(tmp_path: Path, chain: FakeChain, **record: Any) -> Replicate:
    fields: dict[str, Any] = {
        "stage": Stage.REVEAL,
        "result": Result(digest=DIGEST),
        "consensus_block": 7,
    } | record
    return make_replicate(make_context(tmp_path, chain=chain), **fields)


def at_consensus(kind: type[FakeChain] = FakeChain, **fields: Any) -> FakeChain:
    values: dict[str, Any] = {"chain_task": REVEALING, "own_contribution": CONTRIBUTED}
    return kind(**(values | fields))


async def receipt_of(replicate: Replicate) -> Receipt | None:
    (update,) = await wait_until(lambda: updates(replicate.context))
    assert update.status is ReplicateStatus.REVEALED
    found: Receipt | None = update.details.receipt
    return found


async def test_a_reveal_is_sent_and_reported(tmp_path: Path) -> None:
    chain = at_consensus()
    replicate = replicate_on(tmp_path, chain)
    await reveal(replicate)
    assert chain.sent == ["reveal"]
    assert await receipt_of(replicate) == Receipt(7, "0xcc")
    assert replicate.record.stage is Stage.AWAIT_UPLOAD


async def test_a_node_a_few_blocks_behind_is_awaited(tmp_path: Path) -> None:
    """Scenario 24: node lag."""
    replicate = replicate_on(tmp_path, at_consensus(LaggingChain, known_at=12))
    await reveal(replicate)
    assert await receipt_of(replicate) == Receipt(12, "0xcc")


async def test_an_orphaned_consensus_is_awaited_without_a_report(tmp_path: Path) -> None:
    replicate = replicate_on(tmp_path, at_consensus(LaggingChain, known_at=LATER))
    await reveal(replicate)
    assert replicate.record.stage is Stage.AWAIT_REVEAL
    assert updates(replicate.context) == []


@pytest.mark.parametrize(
    ("fields", "receipt"),
    [
        ({}, Receipt(7, "")),
        ({"journal": SENT}, Receipt(7, "0xcc")),
        ({"journal": SENT, "resumable": Receipt(5, "0xcc")}, Receipt(5, "0xcc")),
    ],
    ids=["unknown transaction", "journaled transaction without receipt", "journaled transaction"],
)
async def test_a_reveal_on_chain_is_reported_without_a_second_transaction(
    tmp_path: Path, fields: dict[str, Any], receipt: Receipt
) -> None:
    chain = at_consensus(own_contribution=PROVED, **fields)
    replicate = replicate_on(tmp_path, chain)
    await reveal(replicate)
    assert await receipt_of(replicate) == receipt
    assert "reveal" not in chain.sent


async def test_a_journaled_reveal_is_resumed(tmp_path: Path) -> None:
    chain = at_consensus(journal=dict(SENT), resumable=Receipt(6, "0xcc"))
    replicate = replicate_on(tmp_path, chain)
    await reveal(replicate)
    assert await receipt_of(replicate) == Receipt(6, "0xcc")
    assert chain.sent == []


async def test_a_journaled_reveal_counts_although_its_deadline_has_passed(tmp_path: Path) -> None:
    chain = at_consensus(chain_task=LATE, journal=dict(SENT), resumable=Receipt(6, "0xcc"))
    replicate = replicate_on(tmp_path, chain)
    await reveal(replicate)
    assert await receipt_of(replicate) == Receipt(6, "0xcc")


@pytest.mark.parametrize(
    ("chain", "record", "cause"),
    [
        (at_consensus(), {"consensus_block": 0}, ReplicateStatusCause.CONSENSUS_BLOCK_MISSING),
        (at_consensus(), {"result": None}, ReplicateStatusCause.DETERMINISM_HASH_NOT_FOUND),
        (at_consensus(stuck=True), {"consensus_block": 99}, ReplicateStatusCause.BLOCK_NOT_REACHED),
        (at_consensus(own_contribution=NO_CONTRIBUTION), {}, ReplicateStatusCause.CANNOT_REVEAL),
        (at_consensus(own_contribution=REJECTED), {}, ReplicateStatusCause.CANNOT_REVEAL),
        (at_consensus(own_contribution=OTHER), {}, ReplicateStatusCause.CANNOT_REVEAL),
        (at_consensus(), {"result": Result(digest=OTHER_DIGEST)}, ReplicateStatusCause.CANNOT_REVEAL),
        (at_consensus(chain_task=LATE), {}, ReplicateStatusCause.CANNOT_REVEAL),
        (at_consensus(RefusingChain), {}, ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID),
    ],
    ids=lambda value: value.value if isinstance(value, ReplicateStatusCause) else "",
)
async def test_each_failure_has_its_cause(
    tmp_path: Path, chain: FakeChain, record: dict[str, Any], cause: ReplicateStatusCause
) -> None:
    """Scenario 24: each obstacle alone."""
    with pytest.raises(StepFailed) as failed:
        await reveal(replicate_on(tmp_path, chain, **record))
    assert failed.value.cause is cause


class Unreadable(FakeChain):
    async def task(self, task_id: TaskId) -> ChainTask:
        raise ChainUnavailable("the node does not answer")


async def test_a_task_that_cannot_be_read_is_waited_for(tmp_path: Path) -> None:
    """Scenario 24: task unreadable. The step is repeated, because giving up costs the stake."""
    replicate = replicate_on(tmp_path, at_consensus(Unreadable))
    with pytest.raises(ChainUnavailable):
        await reveal(replicate)
    assert replicate.record.stage is Stage.REVEAL


async def test_a_wallet_without_gas_is_waited_for(tmp_path: Path) -> None:
    """Its stake is lost if it gives up; the balance may rise before the deadline."""
    replicate = replicate_on(tmp_path, at_consensus(EmptyWallet))
    with pytest.raises(WalletOutOfGas):
        await reveal(replicate)
    assert replicate.record.stage is Stage.REVEAL


async def test_a_foreseen_revert_fails_no_reveal_that_the_chain_allows(tmp_path: Path) -> None:
    chain = at_consensus(foresees_reverts=True)
    replicate = replicate_on(tmp_path, chain)
    await reveal(replicate)
    assert await receipt_of(replicate) == Receipt(8, "0xcc")
    assert chain.sent == ["reveal"]


async def test_the_number_of_paid_reverts_is_limited(tmp_path: Path) -> None:
    chain = at_consensus(RefusingChain)
    with pytest.raises(StepFailed):
        await reveal(replicate_on(tmp_path, chain))
    assert len(chain.sent) == 6
