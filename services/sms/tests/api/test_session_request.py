"""The body of `POST /tee/sessions`: parsed whole, or refused in words."""

import json
from typing import Any

import pytest
from starlette.requests import Request
from workerpool_sms.api.http.session_request import parse_session_request
from workerpool_sms.errors import InvalidRequest, NotSelfSigned

TASK, NONCE = "0x" + "ab" * 32, "0x" + "cd" * 32
WORKER, ENCLAVE = "0x" + "11" * 20, "0x" + "22" * 20
BODY: dict[str, Any] = {
    "chainTaskId": TASK,
    "workerWallet": WORKER,
    "enclaveChallenge": ENCLAVE,
    "signature": {"value": "0x" + "33" * 65},
    "audience": "https://sms.example",
    "nonce": NONCE,
}


def request(body: bytes, authorization: str = "0x" + "44" * 65) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"authorization", authorization.encode()), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/tee/sessions",
        "query_string": b"",
        "headers": headers,
    }
    return Request(scope, receive)


async def test_a_whole_body_is_parsed() -> None:
    authorization, signature, audience, nonce = await parse_session_request(
        request(json.dumps(BODY).encode())
    )
    assert (authorization.task_id, authorization.task_index) == (TASK, 0)
    assert authorization.worker.lower() == WORKER
    assert (signature, audience, nonce) == (b"\x44" * 65, "https://sms.example", b"\xcd" * 32)


async def test_a_signature_that_is_no_hexadecimal_text_signs_nothing() -> None:
    _, signature, _, _ = await parse_session_request(request(json.dumps(BODY).encode(), "Bearer x"))
    assert signature == b""


@pytest.mark.parametrize(
    "change",
    [{"chainTaskId": "0x12"}, {"taskIndex": -1}, {"workerWallet": None}, {"signature": {"value": "zz"}}],
)
async def test_a_malformed_part_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(change))):
        await parse_session_request(request(json.dumps(BODY | change).encode()))


@pytest.mark.parametrize("missing", ["audience", "nonce"])
async def test_a_body_without_a_challenge_is_not_signed_for_this_service(missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}
    with pytest.raises(NotSelfSigned, match="/tee/sessions/challenge"):
        await parse_session_request(request(json.dumps(body).encode()))
