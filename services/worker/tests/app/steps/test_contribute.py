"""CONTRIBUTE: one contribution, also when a restart or a second node intervenes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatus, ReplicateStatusCause
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.contribute import contribute
from workerpool_worker.domain.record import Result
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Receipt
from workerpool_worker.domain.wallet.transactions import TransactionKind
from workerpool_worker.errors import StepFailed, TransactionRefused, WalletOutOfGas

from services.worker.tests.doubles.chain import NO_CONTRIBUTION, FakeChain
from services.worker.tests.harness.builders import WORKER, chain_task
from services.worker.tests.harness.context import make_context, make_replicate, updates
from services.worker.tests.harness.waiting import wait_until

DIGEST = "0x" + "02" * 32
SENT = {TransactionKind.CONTRIBUTE: "0xaa"}


@dataclass
class RefusingChain(FakeChain):
    """A chain on which the contribution reverts. `landed` says whether one is on the chain all the same."""

    landed: bool = False

    async def contribute(
        self,
        authorization: WorkerpoolAuthorization,
        result_hash: bytes,
        seal: bytes,
        *,
        foresee: bool = True,
    ) -> Receipt:
        await super().contribute(authorization, result_hash, seal, foresee=foresee)
        if not self.landed:
            self.own_contribution = NO_CONTRIBUTION
            self.chain_task = chain_task(status=ChainTaskStatus.REVEALING)
        raise TransactionRefused("it was mined and reverted")


class ForeseenLate(FakeChain):
    """A chain on which others reach consensus while the contribution is estimated."""

    async def contribute(self, *arguments: Any, foresee: bool = True) -> Receipt:
        self.chain_task = chain_task(status=ChainTaskStatus.REVEALING)
        return await super().contribute(*arguments, foresee=foresee)


class EmptyWallet(FakeChain):
    async def contribute(self, *_: Any, foresee: bool = True) -> Receipt:
        raise WalletOutOfGas("insufficient funds")


def replicate_on(tmp_path: Path, chain: FakeChain, **record: Any) -> Replicate:
    fields: dict[str, Any] = {"stage": Stage.CONTRIBUTE, "result": Result(digest=DIGEST)} | record
    return make_replicate(make_context(tmp_path, chain=chain), **fields)


async def receipt_of(replicate: Replicate) -> Receipt | None:
    (update,) = await wait_until(lambda: updates(replicate.context))
    assert update.status is ReplicateStatus.CONTRIBUTED
    found: Receipt | None = update.details.receipt
    return found


async def test_a_contribution_is_sent_and_reported(tmp_path: Path) -> None:
    chain = FakeChain()
    replicate = replicate_on(tmp_path, chain)
    await contribute(replicate)
    assert chain.sent == ["contribute"]
    assert await receipt_of(replicate) == Receipt(7, "0xaa")
    assert replicate.record.stage is Stage.AWAIT_REVEAL


async def test_a_contribution_sent_before_a_restart_is_not_sent_again(tmp_path: Path) -> None:
    chain = FakeChain(journal=dict(SENT), resumable=Receipt(5, "0xaa"))
    replicate = replicate_on(tmp_path, chain)
    await contribute(replicate)
    assert await receipt_of(replicate) == Receipt(5, "0xaa")
    assert chain.sent == []


async def test_a_contribution_without_effect_is_sent_again(tmp_path: Path) -> None:
    """Another transaction used its nonce, or it reverted: the pre-checks decide whether it is still possible."""
    chain = FakeChain(journal=dict(SENT))
    replicate = replicate_on(tmp_path, chain)
    await contribute(replicate)
    assert chain.sent == ["contribute"]


async def test_a_contribution_on_chain_counts_although_its_transaction_had_no_effect(tmp_path: Path) -> None:
    """Several nodes share one address: one mined it, another showed it as displaced."""
    replicate = replicate_on(tmp_path, RefusingChain(landed=True))
    await contribute(replicate)
    assert await receipt_of(replicate) == Receipt(7, "0xaa")


async def test_a_late_contribution_fails_with_the_chains_cause(tmp_path: Path) -> None:
    """Scenario 23: revert because consensus was already reached."""
    with pytest.raises(StepFailed) as failed:
        await contribute(replicate_on(tmp_path, RefusingChain(landed=False)))
    assert failed.value.cause is ReplicateStatusCause.TASK_NOT_ACTIVE


async def test_a_missing_digest_fails_with_the_cause_of_post_compute(tmp_path: Path) -> None:
    result = Result(cause=ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND, message="no file")
    with pytest.raises(StepFailed, match="POST_COMPUTE_COMPUTED_FILE_NOT_FOUND: no file") as failed:
        await contribute(replicate_on(tmp_path, FakeChain(), result=result))
    assert failed.value.cause is ReplicateStatusCause.DETERMINISM_HASH_NOT_FOUND


async def test_an_empty_wallet_fails_with_out_of_gas(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=WORKER) as failed:
        await contribute(replicate_on(tmp_path, FakeChain(has_gas=False)))
    assert failed.value.cause is ReplicateStatusCause.OUT_OF_GAS


async def test_a_wallet_that_becomes_empty_while_sending_is_waited_for(tmp_path: Path) -> None:
    replicate = replicate_on(tmp_path, EmptyWallet())
    with pytest.raises(WalletOutOfGas):
        await contribute(replicate)
    assert replicate.record.stage is Stage.CONTRIBUTE


async def test_a_foreseen_revert_fails_only_what_the_chain_forbids(tmp_path: Path) -> None:
    """A back-end that lags says that a possible contribution would revert."""
    chain = FakeChain(foresees_reverts=True)
    await contribute(replicate_on(tmp_path / "possible", chain))
    assert chain.sent == ["contribute"]
    late = ForeseenLate(foresees_reverts=True)
    with pytest.raises(StepFailed) as failed:
        await contribute(replicate_on(tmp_path / "late", late))
    assert failed.value.cause is ReplicateStatusCause.TASK_NOT_ACTIVE
    assert late.sent == []
