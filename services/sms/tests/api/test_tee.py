"""Frameworks, challenges and sessions over HTTP and gRPC."""

import json
from typing import Any

from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    bound_authorization_hash,
    sms_challenge_hash,
)
from workerpool_poco.protocol.ids import bytes32, to_hex
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.poco.v1 import authorization_pb2
from workerpool_protocol.registry.v1 import platform_service_pb2 as registry_pb
from workerpool_protocol.sms.v1 import tee_service_pb2 as pb

from services.sms.tests.doubles.chain import DEAL_ID, OWNER, TASK_ID, WORKER, deal, task
from services.sms.tests.instance import AUDIENCE

SIGNATURE = to_hex(OWNER.sign_message_hash(sms_challenge_hash(TASK_ID)))
IMAGE = {"image": "pre:5", "fingerprint": "pre-fp", "entrypoint": "/pre", "heapSizeInBytes": 3 << 30}


async def test_the_framework_is_named(client: Any) -> None:
    answer = await client.http("GET", "/tee/framework")
    assert (answer.status, answer.text) == (200, '"TDX"')
    found = await client.tee.GetFramework(pb.GetFrameworkRequest())
    assert found.framework == registry_pb.TEE_FRAMEWORK_TDX


async def test_the_properties_of_a_version_are_described(client: Any) -> None:
    for path in ("/tee/properties/tdx/v5", "/tee/properties/TDX"):
        answer = await client.http("GET", path)
        content = json.loads(answer.text)
        assert (content["teeFramework"], content["teeFrameworkVersion"]) == ("TDX", "v5")
        assert content["preComputeProperties"] == IMAGE
        assert content["postComputeProperties"]["image"] == "post:5"
        assert "lasImage" not in content
    request = pb.GetServicePropertiesRequest(framework=registry_pb.TEE_FRAMEWORK_TDX, version="v5")
    found = await client.tee.GetServiceProperties(request)
    assert (found.pre_compute.fingerprint, found.post_compute.heap_bytes) == ("pre-fp", 2 << 30)


async def test_another_version_or_framework_is_refused_alike(client: Any) -> None:
    for path, status, code in (
        ("/tee/properties/tdx/v4", 404, "UNKNOWN_FRAMEWORK_VERSION"),
        ("/tee/properties/sgx/v5", 404, "UNKNOWN_FRAMEWORK_VERSION"),
        ("/tee/properties/scone/v5", 409, "WRONG_TEE_FRAMEWORK"),
    ):
        answer = await client.http("GET", path)
        assert (answer.status, answer.code) == (status, code)
    for framework, version, code, reason in (
        (registry_pb.TEE_FRAMEWORK_TDX, "v4", "NOT_FOUND", "UNKNOWN_FRAMEWORK_VERSION"),
        (registry_pb.TEE_FRAMEWORK_SCONE, "v5", "FAILED_PRECONDITION", "WRONG_TEE_FRAMEWORK"),
    ):
        request = pb.GetServicePropertiesRequest(framework=framework, version=version)
        assert await client.grpc(client.tee.GetServiceProperties, request) == (code, reason)


async def test_both_transports_give_the_same_challenge(client: Any) -> None:
    answer = await client.http("POST", f"/tee/challenges/{TASK_ID}", authorization=SIGNATURE)
    found = await client.tee.CreateChallenge(pb.CreateChallengeRequest(task_id=TASK_ID, signature=SIGNATURE))
    assert (answer.status, answer.text) == (200, found.enclave_challenge)


async def test_refused_challenges_are_reported_alike(client: Any) -> None:
    other = "0x" + "01" * 32
    for task_id, signature, status, code in (
        (TASK_ID, to_hex(WORKER.sign_message_hash(bytes(32))), 401, "UNAUTHENTICATED"),
        (other, SIGNATURE, 404, "NOT_FOUND"),
    ):
        answer = await client.http("POST", f"/tee/challenges/{task_id}", authorization=signature)
        request = pb.CreateChallengeRequest(task_id=task_id, signature=signature)
        assert (answer.status, await client.grpc(client.tee.CreateChallenge, request)) == (
            status,
            (code, answer.code),
        )
    assert (await client.http("POST", f"/tee/challenges/{TASK_ID}")).status == 401
    assert (await client.http("POST", "/tee/challenges/0x12", authorization=SIGNATURE)).status == 400
    client.sms.chain.deals[DEAL_ID] = deal(tag=bytes(32))
    request = pb.CreateChallengeRequest(task_id=TASK_ID, signature=SIGNATURE)
    code, reason = await client.grpc(client.tee.CreateChallenge, request)
    assert (code, reason) == ("PERMISSION_DENIED", "EXECUTION_NOT_AUTHORIZED_NO_MATCH_ONCHAIN_TYPE")
    answer = await client.http("POST", f"/tee/challenges/{TASK_ID}", authorization=SIGNATURE)
    assert (answer.status, answer.code) == (401, reason)
    client.sms.chain.tasks[TASK_ID] = task(status=ChainTaskStatus.COMPLETED)
    code, reason = await client.grpc(client.tee.CreateChallenge, request)
    assert (code, reason) == ("FAILED_PRECONDITION", "EXECUTION_NOT_AUTHORIZED_TASK_NOT_ACTIVE")
    answer = await client.http("POST", f"/tee/challenges/{TASK_ID}", authorization=SIGNATURE)
    assert (answer.status, answer.code) == (401, reason), "the documented API knows 401 and 404 only"


def body(shown: WorkerpoolAuthorization, **more: str) -> bytes:
    content = {
        "chainTaskId": shown.task_id,
        "dealId": shown.deal_id,
        "taskIndex": shown.task_index,
        "workerWallet": shown.worker,
        "enclaveChallenge": shown.enclave_challenge,
        "signature": {"value": to_hex(shown.signature)},
        **more,
    }
    return json.dumps(content).encode()


async def test_a_session_over_http_is_marked_and_read_once(client: Any) -> None:
    await client.sms.push_token()
    shown = await client.sms.authorization()
    query = f"chainTaskId={TASK_ID}&walletAddress={WORKER.address}"
    made = json.loads((await client.http("GET", f"/tee/sessions/challenge?{query}")).text)
    assert made["audience"] == AUDIENCE
    signature = to_hex(
        WORKER.sign_message_hash(bound_authorization_hash(shown, made["audience"], bytes32(made["nonce"])))
    )
    asked = body(shown, audience=made["audience"], nonce=made["nonce"])
    answer = await client.http("POST", "/tee/sessions", asked, authorization=signature)
    assert answer.status == 200
    data = json.loads(answer.text)["data"]
    assert data["unattested"] is True
    assert data["secretProvisioningUrl"] == f"{AUDIENCE}/tee/sessions/{data['sessionId']}"
    path = f"/tee/sessions/{data['sessionId']}"
    assert (await client.http("GET", path)).status == 405, "a GET may be repeated by a proxy"
    content = await client.http("POST", path)
    assert content.headers["cache-control"] == "no-store"
    assert [each["name"] for each in json.loads(content.text)["services"]] == ["app", "post-compute"]
    again = await client.http("POST", path)
    assert (again.status, again.code) == (404, "SESSION_NOT_FOUND")


async def test_a_session_over_grpc_is_marked(client: Any) -> None:
    await client.sms.push_token()
    shown = await client.sms.authorization()
    made = await client.tee.CreateSessionChallenge(
        pb.CreateSessionChallengeRequest(task_id=TASK_ID, wallet_address=WORKER.address)
    )
    hash_ = bound_authorization_hash(shown, made.audience, bytes32(made.nonce))
    request = pb.CreateSessionRequest(
        authorization=authorization_pb2.WorkerpoolAuthorization(
            task_id=shown.task_id,
            deal_id=shown.deal_id,
            task_index=shown.task_index,
            worker_wallet=shown.worker,
            enclave_challenge=shown.enclave_challenge,
            signature=to_hex(shown.signature),
        ),
        worker_signature=to_hex(WORKER.sign_message_hash(hash_)),
        audience=made.audience,
        nonce=made.nonce,
    )
    created = await client.tee.CreateSession(request)
    assert created.unattested
    assert created.secret_provisioning_url.endswith(created.session_id)
    request.worker_signature = to_hex(OWNER.sign_message_hash(hash_))
    assert await client.grpc(client.tee.CreateSession, request) == (
        "UNAUTHENTICATED",
        "INVALID_AUTHORIZATION",
    )


async def test_refused_sessions_name_the_protocols_cause(client: Any) -> None:
    shown = await client.sms.authorization()
    answer = await client.http("POST", "/tee/sessions", body(shown), authorization="0x")
    assert answer.status == 401
    assert json.loads(answer.text)["error"] == "INVALID_AUTHORIZATION"
    assert "/tee/sessions/challenge" in json.loads(answer.text)["message"]
    for content in (b"", b"{", b"[]", b'{"chainTaskId": 5}', body(shown, nonce="0x12")):
        answer = await client.http("POST", "/tee/sessions", content, authorization="0x")
        assert (answer.status, answer.code) == (400, "INVALID_REQUEST"), content
    assert (await client.http("GET", "/tee/sessions/challenge")).status == 400
