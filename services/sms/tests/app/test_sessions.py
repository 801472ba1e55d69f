"""Scenario 37: sessions, without the services of the frameworks."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from workerpool_poco.protocol.authorization import bound_authorization_hash
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import ZERO_ADDRESS, address
from workerpool_poco.protocol.model import Resource
from workerpool_poco.protocol.orders import DatasetOrder
from workerpool_poco.protocol.tags import TeeFramework, make_tag
from workerpool_sms.domain.frameworks import Framework
from workerpool_sms.domain.secrets import (
    DROPBOX_TOKEN,
    IPFS_TOKEN,
    RESULT_ENCRYPTION_KEY,
    RESULT_PROXY_URL,
    SecretKind,
)
from workerpool_sms.domain.session.session import Session
from workerpool_sms.errors import (
    AttestationUnavailable,
    BeneficiaryKeyMissing,
    ChallengeInvalid,
    DatasetSecretMissing,
    EnclaveConfigMissing,
    NotSelfSigned,
    NotSignedByPoolOwner,
    SessionFailed,
    SessionNotFound,
    SignatureTokensMissing,
    StorageFull,
    StorageTokenMissing,
    UnknownFrameworkVersion,
)

from services.sms.tests.doubles.chain import (
    APP,
    DATASET,
    DEAL_ID,
    DEVELOPER,
    OWNER,
    REQUESTER,
    TASK_ID,
    WORKER,
    deal,
)
from services.sms.tests.instance import AUDIENCE, FLOOR_BYTES, Instance

OTHER = address("0x" + "d2" * 20)


class Backend:
    """A `SessionBackend` that answers as a test says."""

    attested = True

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer

    async def create(self, session: Session, *, expires_at: int) -> str:
        """Answer; see `SessionBackend`."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def environments(sms: Instance) -> dict[str, dict[str, str]]:
    """Return the environments of a new session by stage."""
    created = await sms.session()
    content = json.loads(await sms.unattested.claim(created.session_id))
    return {each["name"]: each["environment"] for each in content["services"]}


def with_params(sms: Instance, **params: Any) -> None:
    sms.chain.deals[DEAL_ID] = deal(DealParams(**params))


async def test_37_a_session_is_given_once_to_its_id(sms: Instance) -> None:
    await sms.push_token()
    created = await sms.session()
    assert created.unattested
    assert created.session_id.endswith("0000" + TASK_ID)
    assert created.provisioning_url == f"{AUDIENCE}/tee/sessions/{created.session_id}"
    stored, _ = sms.kept.rows[created.session_id]
    assert b"worker-token" not in stored.content
    assert "worker-token" in (await sms.unattested.claim(created.session_id)).decode()
    with pytest.raises(SessionNotFound):
        await sms.unattested.claim(created.session_id)


async def test_a_session_expires_with_its_task(sms: Instance) -> None:
    await sms.push_token()
    first, second = await sms.session(), await sms.session()
    sms.clock.advance(3_000)
    with pytest.raises(SessionNotFound):
        await sms.unattested.claim(first.session_id)
    assert await sms.unattested.purge() == 1
    assert second.session_id not in sms.kept.rows


async def test_a_disk_at_its_floor_takes_no_session_and_gives_those_it_has(sms: Instance) -> None:
    await sms.push_token()
    created = await sms.session()
    sms.free = FLOOR_BYTES
    with pytest.raises(StorageFull, match="must stay free"):
        await sms.session()
    assert await sms.unattested.claim(created.session_id)


async def test_sessions_are_refused_until_enclaves_can_be_verified(
    new_sms: Callable[..., Instance], capsys: pytest.CaptureFixture[str]
) -> None:
    sms = new_sms(allow_unattested=False)
    await sms.push_token()
    with pytest.raises(AttestationUnavailable, match="cannot verify enclaves yet"):
        await sms.session()
    allowed = new_sms()
    await allowed.push_token()
    await allowed.session()
    assert "audit.session_created_unattested" in "".join(capsys.readouterr())


async def test_a_backend_that_verifies_needs_no_permission(new_sms: Callable[..., Instance]) -> None:
    sms = new_sms(allow_unattested=False, backend=Backend("https://cas"))
    await sms.push_token()
    created = await sms.session()
    assert (created.provisioning_url, created.unattested) == ("https://cas", False)


async def test_37_an_empty_or_failed_answer_of_the_backend_is_named(new_sms: Callable[..., Instance]) -> None:
    for answer, refusal in (("", SessionNotFound), (ConnectionResetError(), SessionFailed)):
        sms = new_sms(backend=Backend(answer))
        await sms.push_token()
        with pytest.raises(refusal):
            await sms.session()


async def test_37_a_request_that_the_worker_did_not_sign_is_refused(sms: Instance) -> None:
    with pytest.raises(NotSelfSigned):
        await sms.session(by=OWNER)
    with pytest.raises(NotSignedByPoolOwner):
        await sms.session(await sms.authorization(by=WORKER))


async def test_a_challenge_of_another_task_or_time_is_refused(sms: Instance) -> None:
    shown = await sms.authorization()
    signature = WORKER.sign_message_hash(bound_authorization_hash(shown, AUDIENCE, bytes(32)))
    with pytest.raises(ChallengeInvalid):
        await sms.sessions.create(shown, signature, audience=AUDIENCE, nonce=bytes(32))


async def test_the_enclave_challenge_must_be_of_this_sms(sms: Instance) -> None:
    with pytest.raises(SignatureTokensMissing, match="made no such enclave challenge"):
        await sms.session(await sms.authorization(enclave_challenge=OWNER.address))


async def test_the_whole_content_of_a_session(sms: Instance) -> None:
    sms.chain.deals[DEAL_ID] = deal(
        DealParams(
            secrets={"1": "one", "2": "absent", "3": "not a name"},
            result_encryption=True,
            input_files=("https://in",),
        ),
        dataset=Resource(DATASET, DEVELOPER.address, 0),
    )
    await sms.push(SecretKind.WEB3, DATASET, "", "dataset-key", DEVELOPER)
    await sms.push(SecretKind.APP_DEVELOPER, APP, "1", "app-secret", DEVELOPER)
    await sms.push(SecretKind.REQUESTER, REQUESTER.address, "one", "requester-secret", REQUESTER)
    await sms.push(SecretKind.WEB2, REQUESTER.address, RESULT_ENCRYPTION_KEY, "cGVt", REQUESTER)
    await sms.push(SecretKind.WEB2, OWNER.address, RESULT_PROXY_URL, "https://proxy", OWNER)
    await sms.push_token()
    found = await environments(sms)
    pre, app, post = found["pre-compute"], found["app"], found["post-compute"]
    assert pre["IEXEC_DATASET_KEY"] == "dataset-key"
    assert pre["IEXEC_DATASET_URL"] == f"https://data/{DATASET}"
    assert pre["IEXEC_DATASET_CHECKSUM"] == "0x" + "07" * 32
    assert pre["IEXEC_INPUT_FILE_URL_1"] == "https://in"
    assert app["IEXEC_APP_DEVELOPER_SECRET"] == "app-secret"
    assert app["IEXEC_REQUESTER_SECRET_1"] == "requester-secret"
    assert not {"IEXEC_REQUESTER_SECRET_2", "IEXEC_REQUESTER_SECRET_3"} & app.keys()
    assert (post["RESULT_ENCRYPTION"], post["RESULT_ENCRYPTION_PUBLIC_KEY"]) == ("yes", "cGVt")
    assert post["RESULT_STORAGE_PROXY"] == "https://proxy"
    assert post["RESULT_STORAGE_TOKEN"] == "worker-token"
    key = await sms.enclave_challenges.private_key(TASK_ID, await sms.challenge())
    assert key is not None
    assert {post["SIGN_TEE_CHALLENGE_PRIVATE_KEY"], pre["SIGN_TEE_CHALLENGE_PRIVATE_KEY"]} == {
        "0x" + key.hex()
    }


async def test_37_a_missing_dataset_key_is_named(sms: Instance) -> None:
    await sms.push_token()
    sms.chain.deals[DEAL_ID] = deal(dataset=Resource(DATASET, DEVELOPER.address, 0))
    with pytest.raises(DatasetSecretMissing, match="its owner must push it"):
        await sms.session()


async def test_37_a_missing_storage_token_is_named(sms: Instance) -> None:
    with pytest.raises(StorageTokenMissing, match=WORKER.address):
        await sms.session()
    await sms.push(SecretKind.WEB2, REQUESTER.address, IPFS_TOKEN, "requester-token", REQUESTER)
    assert (await environments(sms))["post-compute"]["RESULT_STORAGE_TOKEN"] == "requester-token"


async def test_a_result_for_dropbox_needs_the_requesters_token(sms: Instance) -> None:
    with_params(sms, result_storage_provider="dropbox")
    await sms.push_token()
    with pytest.raises(StorageTokenMissing, match="Dropbox"):
        await sms.session()
    await sms.push(SecretKind.WEB2, REQUESTER.address, DROPBOX_TOKEN, "drop", REQUESTER)
    post = (await environments(sms))["post-compute"]
    assert (post["RESULT_STORAGE_PROVIDER"], post["RESULT_STORAGE_TOKEN"]) == ("dropbox", "drop")


async def test_a_callback_needs_no_storage(sms: Instance) -> None:
    sms.chain.deals[DEAL_ID] = deal(callback="0x" + "CA" * 20)
    post = (await environments(sms))["post-compute"]
    assert (post["RESULT_STORAGE_CALLBACK"], post["RESULT_STORAGE_TOKEN"]) == ("yes", "")
    assert sms.chain.deals[DEAL_ID].callback != ZERO_ADDRESS


async def test_the_proxy_of_the_deal_comes_before_that_of_the_pool(sms: Instance) -> None:
    with_params(sms, result_storage_proxy="https://own")
    await sms.push_token()
    assert (await environments(sms))["post-compute"]["RESULT_STORAGE_PROXY"] == "https://own"


async def test_a_missing_key_of_the_beneficiary_is_named(sms: Instance) -> None:
    with_params(sms, result_encryption=True)
    await sms.push_token()
    with pytest.raises(BeneficiaryKeyMissing, match=REQUESTER.address):
        await sms.session()


async def test_37_bulk_datasets_that_are_invalid_or_without_key_are_dropped_alone(sms: Instance) -> None:
    with_params(sms, bulk_cid="QmBulkBulk")
    orders = [DatasetOrder(dataset=each).to_json() for each in (DATASET, OTHER, "0x" + "D3" * 20)]
    sms.bulk.objects = {
        "QmBulkBulk": json.dumps(["QmFirst111", "QmSecond22"]),
        "QmSecond22": json.dumps(orders),
    }
    sms.chain.unfit = {OTHER}
    for dataset in (DATASET, OTHER):
        sms.chain.owners[dataset] = DEVELOPER.address
        await sms.push(SecretKind.WEB3, dataset, "", f"key of {dataset}", DEVELOPER)
    await sms.push_token()
    pre = (await environments(sms))["pre-compute"]
    assert pre["IEXEC_BULK_SLICE_SIZE"] == "1"
    assert pre["IEXEC_DATASET_1_KEY"] == f"key of {DATASET}"
    sms.bulk.objects = {}
    assert (await environments(sms))["pre-compute"]["IEXEC_BULK_SLICE_SIZE"] == "0"


async def test_scone_needs_the_configuration_and_a_known_version(new_sms: Callable[..., Instance]) -> None:
    sms = new_sms(framework=Framework.SCONE)
    sms.chain.deals[DEAL_ID] = deal(tag=make_tag(framework=TeeFramework.SCONE))
    await sms.push_token()
    with pytest.raises(EnclaveConfigMissing):
        await sms.session()
    config = {"framework": "SCONE", "version": "v4", "fingerprint": "fp", "heapSize": 1, "entrypoint": "/a"}
    sms.chain.mrenclave = json.dumps(config).encode()
    with pytest.raises(UnknownFrameworkVersion, match="WORKERPOOL_SMS_TEE_PROPERTIES"):
        await sms.session()
    sms.chain.mrenclave = json.dumps(config | {"version": "v5"}).encode()
    assert (await environments(sms)).keys() == {"app", "post-compute"}
