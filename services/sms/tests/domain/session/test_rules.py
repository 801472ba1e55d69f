"""Who may have a session: each reason alone (scenario 37, without the services of the frameworks)."""

from dataclasses import replace

import pytest
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import bound_authorization_hash, sign_authorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_poco.protocol.tags import TeeFramework, make_tag
from workerpool_sms.domain.challenges import check_owner_signature
from workerpool_sms.domain.frameworks import Framework
from workerpool_sms.domain.session.rules import check_on_chain, check_request
from workerpool_sms.errors import (
    DealNotOnChain,
    EmptyAuthorization,
    EnclaveMismatch,
    FinalDeadlineReached,
    NotSelfSigned,
    NotSignedByPoolOwner,
    SessionRefused,
    SignatureTokensMissing,
    TaskNotActive,
    TaskNotOnChain,
)

from services.sms.tests.doubles.chain import (
    DEAL_ID,
    NO_DEAL,
    NO_TASK,
    NOW,
    OWNER,
    TASK_ID,
    WORKER,
    deal,
    task,
)

AUDIENCE, NONCE = "https://sms.example", bytes([8] * 32)
SHOWN = sign_authorization(
    OWNER,
    worker=WORKER.address,
    task_id=TASK_ID,
    deal_id=DEAL_ID,
    task_index=3,
    enclave_challenge="0x" + "E1" * 20,
)


def sign(wallet: Wallet) -> bytes:
    return wallet.sign_message_hash(bound_authorization_hash(SHOWN, AUDIENCE, NONCE))


def test_a_request_that_its_worker_signed_for_this_sms_is_accepted() -> None:
    check_request(SHOWN, sign(WORKER), audience=AUDIENCE, nonce=NONCE)
    check_on_chain(SHOWN, task(), deal(), Framework.TDX, now=NOW)


@pytest.mark.parametrize("signature", [sign(OWNER), b"", bytes(65)])
def test_a_request_that_is_not_self_signed_is_refused(signature: bytes) -> None:
    with pytest.raises(NotSelfSigned, match=WORKER.address):
        check_request(SHOWN, signature, audience=AUDIENCE, nonce=NONCE)


def test_a_signature_for_another_audience_or_nonce_is_refused() -> None:
    for audience, nonce in (("https://other.example", NONCE), (AUDIENCE, bytes(32))):
        with pytest.raises(NotSelfSigned):
            check_request(SHOWN, sign(WORKER), audience=audience, nonce=nonce)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"worker": ZERO_ADDRESS}, EmptyAuthorization),
        ({"task_id": TaskId("0x" + "00" * 32)}, EmptyAuthorization),
        ({"signature": bytes(65)}, EmptyAuthorization),
        ({"enclave_challenge": ZERO_ADDRESS}, SignatureTokensMissing),
    ],
)
def test_an_authorization_with_an_empty_part_is_refused(
    changes: dict[str, object], refusal: type[SessionRefused]
) -> None:
    with pytest.raises(refusal):
        check_request(replace(SHOWN, **changes), sign(WORKER), audience=AUDIENCE, nonce=NONCE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "status", [ChainTaskStatus.REVEALING, ChainTaskStatus.COMPLETED, ChainTaskStatus.FAILED]
)
def test_a_task_that_is_not_active_is_refused(status: ChainTaskStatus) -> None:
    with pytest.raises(TaskNotActive, match=status.name):
        check_on_chain(SHOWN, task(status=status), deal(), Framework.TDX, now=NOW)


def test_a_task_or_deal_that_is_not_on_chain_is_refused() -> None:
    with pytest.raises(TaskNotOnChain):
        check_on_chain(SHOWN, NO_TASK, NO_DEAL, Framework.TDX, now=NOW)
    with pytest.raises(DealNotOnChain):
        check_on_chain(SHOWN, task(), NO_DEAL, Framework.TDX, now=NOW)


def test_the_final_deadline_ends_a_task() -> None:
    check_on_chain(SHOWN, task(), deal(), Framework.TDX, now=NOW + 2_999)
    with pytest.raises(FinalDeadlineReached):
        check_on_chain(SHOWN, task(), deal(), Framework.TDX, now=NOW + 3_000)


@pytest.mark.parametrize("tag", [bytes(32), make_tag(framework=TeeFramework.SCONE), bytes([0] * 31 + [1])])
def test_a_deal_of_another_framework_is_refused(tag: bytes) -> None:
    with pytest.raises(EnclaveMismatch, match="this SMS serves TDX"):
        check_on_chain(SHOWN, task(), deal(tag=tag), Framework.TDX, now=NOW)


def test_only_the_pool_owner_of_the_deal_authorizes() -> None:
    for changed in (replace(SHOWN, enclave_challenge="0x" + "E2" * 20), replace(SHOWN, signature=b"\1" * 65)):
        with pytest.raises(NotSignedByPoolOwner):
            check_on_chain(changed, task(), deal(), Framework.TDX, now=NOW)
    with pytest.raises(NotSignedByPoolOwner, match=OWNER.address):
        check_owner_signature(TASK_ID, deal(), WORKER.sign_message_hash(bytes(32)))
