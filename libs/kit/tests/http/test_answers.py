"""Refusals over HTTP, as the SDK shows them."""

import json

import pytest
from workerpool_kit.errors import Kind, Unauthenticated, WorkerpoolError
from workerpool_kit.http.answers import HTTP_STATUS, error_answer, refusal


class Full(WorkerpoolError):
    kind = Kind.EXHAUSTED
    reason = "QUEUE_FULL"


def test_the_key_error_holds_the_sentence_and_code_the_code() -> None:
    answer = error_answer("UNKNOWN_TASK", "no deal of this pool holds it; compare the id", 404)
    assert answer.status_code == 404
    assert json.loads(bytes(answer.body)) == {
        "error": "UNKNOWN_TASK: no deal of this pool holds it; compare the id",
        "code": "UNKNOWN_TASK",
    }
    assert answer.headers["content-type"] == "application/json"


def test_without_a_sentence_the_key_error_holds_the_code() -> None:
    assert json.loads(bytes(error_answer("GONE", "", 410).body)) == {"error": "GONE", "code": "GONE"}


def test_an_error_of_a_use_case_is_answered_with_the_status_of_its_kind() -> None:
    answer = refusal(Full("the queue is full; retry in 1 s", details={"waiting": 7}))
    assert answer.status_code == 429
    assert json.loads(bytes(answer.body))["details"] == {"waiting": "7"}
    assert refusal(Full("full"), 400).status_code == 400


def test_missing_credentials_are_requested() -> None:
    assert refusal(Unauthenticated("send them")).headers["www-authenticate"] == "Basic"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_status(kind: Kind) -> None:
    assert 400 <= HTTP_STATUS[kind] <= 503
