"""The challenge of a task is made once, for the pool owner, and purged after the final deadline."""

from dataclasses import replace

import coincurve
import pytest
from workerpool_poco.protocol.authorization import sms_challenge_hash
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.signatures import public_key_address
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_sms.domain.challenges import key_purpose
from workerpool_sms.errors import EnclaveMismatch, NotSignedByPoolOwner, TaskNotActive, TaskNotOnChain

from services.sms.tests.doubles.chain import DEAL_ID, OWNER, TASK_ID, WORKER, deal, task
from services.sms.tests.instance import Instance

SIGNATURE = OWNER.sign_message_hash(sms_challenge_hash(TASK_ID))


async def test_the_first_request_makes_the_key_pair_and_later_ones_return_it(sms: Instance) -> None:
    first = await sms.challenge()
    assert first != ZERO_ADDRESS
    assert await sms.challenge() == first
    key = await sms.enclave_challenges.private_key(TASK_ID, first)
    assert key is not None
    assert public_key_address(coincurve.PrivateKey(key).public_key) == first
    assert sms.metrics.new == {"tee_challenges": 1, "ethereum_credentials": 1}


async def test_the_private_key_is_stored_encrypted(sms: Instance) -> None:
    challenge = await sms.challenge()
    key = await sms.enclave_challenges.private_key(TASK_ID, challenge)
    stored = sms.challenges.rows[TASK_ID].private_key
    assert key is not None
    assert key not in stored.content + stored.data_key
    assert sms.vault.open(stored, key_purpose(TASK_ID)) == key


async def test_another_challenge_or_task_has_no_key_here(sms: Instance) -> None:
    challenge = await sms.challenge()
    assert await sms.enclave_challenges.private_key(TASK_ID, OWNER.address) is None
    assert await sms.enclave_challenges.private_key(TaskId("0x" + "01" * 32), challenge) is None


async def test_only_the_pool_owner_gets_a_challenge(sms: Instance) -> None:
    for signature in (WORKER.sign_message_hash(sms_challenge_hash(TASK_ID)), b"", bytes(65)):
        with pytest.raises(NotSignedByPoolOwner):
            await sms.enclave_challenges.create(TASK_ID, signature)
    assert not sms.challenges.rows


async def test_the_task_must_be_an_active_one_of_the_framework(sms: Instance) -> None:
    sms.chain.tasks[TASK_ID] = task(status=ChainTaskStatus.COMPLETED)
    with pytest.raises(TaskNotActive):
        await sms.challenge()
    sms.chain.tasks[TASK_ID] = task()
    sms.chain.deals[DEAL_ID] = deal(tag=bytes(32))
    with pytest.raises(EnclaveMismatch, match="requires no TEE framework"):
        await sms.challenge()
    with pytest.raises(TaskNotOnChain):
        await sms.enclave_challenges.create(TaskId("0x" + "01" * 32), SIGNATURE)


async def test_challenges_are_purged_after_the_final_deadline(sms: Instance) -> None:
    await sms.challenge()
    sms.clock.advance(2_999)
    assert await sms.enclave_challenges.purge() == 0
    sms.clock.advance(1)
    assert await sms.enclave_challenges.purge() == 1
    assert not sms.challenges.rows


async def test_a_challenge_without_deadline_is_purged_after_five_days_and_in_batches(sms: Instance) -> None:
    await sms.challenge()
    made = sms.challenges.rows.pop(TASK_ID)
    for number in range(1_201):
        task_id = TaskId(f"0x{number:064x}")
        sms.challenges.rows[task_id] = replace(made, task_id=task_id, final_deadline=None)
    sms.clock.advance(5 * 86_400 - 1)
    assert await sms.enclave_challenges.purge() == 0
    sms.clock.advance(1)
    assert await sms.enclave_challenges.purge() == 1_201
