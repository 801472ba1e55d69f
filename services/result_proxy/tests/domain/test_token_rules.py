"""The rules for a token, one test per rule in their order."""

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    authorization_hash,
    bound_authorization_hash,
)
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Deal, Resource
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_poco.protocol.tags import TeeFramework, make_tag
from workerpool_result_proxy import errors
from workerpool_result_proxy.domain.token_rules import check_on_chain, check_request

WORKER, OWNER, STRANGER = (Account.from_key(bytes([number] * 32)) for number in (1, 2, 3))
POOL = "0x" + "11" * 20
TASK_ID, DEAL_ID = TaskId("0x" + "07" * 32), DealId("0x" + "08" * 32)
FINAL_DEADLINE = 1_000
AUDIENCE, NONCE = "https://result.example", b"\x2a" * 32


def sign(account: Any, message: bytes) -> bytes:
    return bytes(account.sign_message(encode_defunct(message)).signature)


def authorization(
    *,
    owner: Any = OWNER,
    worker: str = WORKER.address,
    task_id: TaskId = TASK_ID,
    challenge: str = ZERO_ADDRESS,
) -> WorkerpoolAuthorization:
    signature = sign(owner, authorization_hash(worker, task_id, challenge))
    return WorkerpoolAuthorization(worker, task_id, challenge, DEAL_ID, 0, signature)


TASK = ChainTask(
    task_id=TASK_ID,
    status=ChainTaskStatus.ACTIVE,
    deal_id=DEAL_ID,
    index=0,
    category_time=100,
    contribution_deadline=700,
    reveal_deadline=0,
    final_deadline=FINAL_DEADLINE,
    consensus_value=bytes(32),
    reveal_counter=0,
    winner_counter=0,
    contributors=(),
    result_digest=bytes(32),
    results=b"",
    results_timestamp=0,
    results_callback=b"",
)
DEAL = Deal(
    deal_id=DEAL_ID,
    app=Resource(POOL, POOL, 0),
    dataset=Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0),
    workerpool=Resource(POOL, OWNER.address, 0),
    trust=1,
    category=0,
    tag=bytes(32),
    requester=STRANGER.address,
    beneficiary=STRANGER.address,
    callback=ZERO_ADDRESS,
    params="",
    start_time=1,
    bot_first=0,
    bot_size=1,
    worker_stake=0,
    scheduler_reward_ratio=0,
    sponsor=STRANGER.address,
)


def check(
    authorization: WorkerpoolAuthorization,
    task: ChainTask = TASK,
    deal: Deal = DEAL,
    now: float = 0.0,
    only_pool: str | None = None,
) -> None:
    check_on_chain(authorization, task, deal, now=now, only_pool=only_pool)


def check_signed(asked: WorkerpoolAuthorization, signature: bytes) -> None:
    check_request(asked, signature, audience=AUDIENCE, nonce=NONCE)


def bound(asked: WorkerpoolAuthorization, audience: str = AUDIENCE, nonce: bytes = NONCE) -> bytes:
    return bound_authorization_hash(asked, audience, nonce)


def test_the_worker_itself_must_sign_the_request() -> None:
    """Scenario 32: a request that the worker did not sign."""
    asked = authorization()
    check_signed(asked, sign(WORKER, bound(asked)))
    for signature in (sign(STRANGER, bound(asked)), sign(WORKER, bytes(32)), bytes(65), b"\xff" * 65):
        with pytest.raises(errors.NotSelfSigned):
            check_signed(asked, signature)


@pytest.mark.parametrize("other", ["unbound", "other audience", "other nonce", "other task"])
def test_a_signature_for_another_service_opens_nothing(other: str) -> None:
    asked = authorization()
    message = {
        "unbound": asked.hash,
        "other audience": bound(asked, audience="https://other.example"),
        "other nonce": bound(asked, nonce=bytes(32)),
        "other task": bound(authorization(task_id=TaskId("0x" + "09" * 32))),
    }[other]
    with pytest.raises(errors.NotSelfSigned):
        check_signed(asked, sign(WORKER, message))


def test_an_unrecoverable_signature_is_not_one_of_the_zero_address() -> None:
    asked = authorization(worker=ZERO_ADDRESS)
    with pytest.raises(errors.EmptyAuthorization):
        check_signed(asked, bytes(65))


@pytest.mark.parametrize("part", [{"task_id": TaskId("0x" + "00" * 32)}, {"signature": bytes(65)}])
def test_empty_parts_are_refused(part: Any) -> None:
    """Scenario 32: null and empty parts."""
    asked = replace(authorization(), **part)
    with pytest.raises(errors.EmptyAuthorization):
        check_signed(asked, sign(WORKER, bound(asked)))


def test_a_good_authorization_passes() -> None:
    check(authorization(), now=FINAL_DEADLINE - 1)
    check(authorization(), only_pool=POOL)


def test_the_short_form_of_a_signature_passes() -> None:
    from workerpool_poco.protocol.signatures import compact_signature

    asked = authorization()
    check(replace(asked, signature=compact_signature(asked.signature)))


def test_the_task_must_be_on_chain() -> None:
    """Scenario 32: the task is not on chain."""
    with pytest.raises(errors.TaskNotOnChain):
        check(authorization(), task=replace(TASK, status=ChainTaskStatus.UNSET))


def test_no_token_from_the_final_deadline_on() -> None:
    """Scenario 32: the final deadline has passed."""
    with pytest.raises(errors.FinalDeadlineReached):
        check(authorization(), now=FINAL_DEADLINE)


def test_the_deal_must_be_on_chain() -> None:
    """Scenario 32: the deal is not on chain."""
    with pytest.raises(errors.DealNotOnChain):
        check(authorization(), deal=replace(DEAL, start_time=0))


def test_a_proxy_of_one_pool_serves_no_other() -> None:
    with pytest.raises(errors.WrongPool):
        check(authorization(), only_pool="0x" + "22" * 20)


def test_the_enclave_challenge_must_fit_the_tag() -> None:
    """Scenario 32: the enclave challenge differs from the tag."""
    tee = replace(DEAL, tag=make_tag(framework=TeeFramework.SCONE))
    with_challenge = authorization(challenge=STRANGER.address)
    check(with_challenge, deal=tee)
    with pytest.raises(errors.EnclaveMismatch):
        check(authorization(), deal=tee)
    with pytest.raises(errors.EnclaveMismatch):
        check(with_challenge)


def test_the_pool_owner_must_have_signed() -> None:
    """Scenario 32: a bad signature of the pool."""
    with pytest.raises(errors.NotSignedByPoolOwner):
        check(authorization(owner=STRANGER))
    with pytest.raises(errors.NotSignedByPoolOwner):
        check(replace(authorization(), signature=b"\xff" * 65))


def test_the_rules_are_checked_in_the_order_of_the_protocol() -> None:
    asked = authorization(owner=STRANGER, challenge=STRANGER.address)
    broken_task = replace(TASK, status=ChainTaskStatus.UNSET)
    broken_deal = replace(DEAL, start_time=0)
    with pytest.raises(errors.TaskNotOnChain):
        check(asked, task=broken_task, deal=broken_deal, now=FINAL_DEADLINE)
    with pytest.raises(errors.FinalDeadlineReached):
        check(asked, deal=broken_deal, now=FINAL_DEADLINE)
    with pytest.raises(errors.DealNotOnChain):
        check(asked, deal=broken_deal)
    with pytest.raises(errors.EnclaveMismatch):
        check(asked)
