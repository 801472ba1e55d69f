"""What came of a request, in words for an operator."""

import socket
from typing import Any, cast

import aiohttp
import pytest
from workerpool_poco.chain.outcomes import is_transient, outcome_of, reason_of
from workerpool_poco.errors import RpcError

UNUSED = cast(Any, None)
NOT_FOUND = OSError(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (TimeoutError(), "no answer within the time limit"),
        (aiohttp.ServerTimeoutError(), "no answer within the time limit"),
        (aiohttp.InvalidURL("http://user:secret@node"), "its URL is not usable"),
        (aiohttp.ServerDisconnectedError(), "the connection was cut (ServerDisconnectedError)"),
        (aiohttp.ClientPayloadError("half"), "the connection was cut (ClientPayloadError)"),
        (ConnectionResetError(), "the connection was cut (ConnectionResetError)"),
        (aiohttp.ClientConnectorError(UNUSED, NOT_FOUND), "no connection (Name or service not known)"),
        (
            aiohttp.ClientResponseError(UNUSED, (), status=502, message="Bad\r\n Gateway"),
            "HTTP 502 Bad Gateway",
        ),
        (ValueError("Expecting value: line 1"), "its answer is not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_failed_request_has_a_reason_in_words(cause: Exception, reason: str) -> None:
    assert reason_of(cause) == reason


@pytest.mark.parametrize("answer", [None, 7, "starting", [], True])
def test_an_answer_that_is_no_object_may_be_cured_by_another_request(answer: Any) -> None:
    outcome = outcome_of("eth_call", answer)
    assert isinstance(outcome, RpcError)
    assert is_transient(outcome)


def test_a_result_may_be_null() -> None:
    assert outcome_of("eth_getTransactionReceipt", {"result": None}) is None


@pytest.mark.parametrize(
    "error", ["busy", 7, [], {"message": None}, {"message": {"deep": "er"}}, {"code": "x"}]
)
def test_an_error_of_any_shape_is_an_error(error: Any) -> None:
    outcome = outcome_of("eth_call", {"error": error, "result": "0x"})
    assert isinstance(outcome, RpcError)
    assert outcome.code == 0


def test_a_long_text_of_the_node_is_one_short_line() -> None:
    outcome = outcome_of(
        "eth_call", {"error": {"code": -32000, "message": "panic:\n\tgoroutine 7\n" * 9_999}}
    )
    assert isinstance(outcome, RpcError)
    assert outcome.message.startswith("panic: goroutine 7 panic:")
    assert len(outcome.message) < 450
