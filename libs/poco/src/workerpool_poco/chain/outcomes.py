"""Outcomes of a JSON-RPC request: a result, the node's error, or a failure that a retry may resolve."""

from typing import Any

import aiohttp

from workerpool_poco.errors import RpcError

TOO_MANY_REQUESTS = 429
_LONGEST_TEXT = 400
_NO_ANSWER = "the answer is not a JSON-RPC object"


class Busy(Exception):
    """The node throttles the request."""


def is_throttling(cause: Exception) -> bool:
    """Return whether a request failed because of a rate limit."""
    return isinstance(cause, Busy) or (
        isinstance(cause, aiohttp.ClientResponseError) and cause.status == TOO_MANY_REQUESTS
    )


def is_busy(answer: Any) -> bool:
    """Return whether a JSON-RPC answer is a refusal because of a rate limit."""
    outcome = outcome_of("", answer) if isinstance(answer, dict) and "error" in answer else None
    return isinstance(outcome, RpcError) and outcome.busy


def result_of(outcome: Any | RpcError) -> Any:
    """Return the result of a call; raises `RpcError`, or `Busy` for a call that is worth repeating later."""
    if isinstance(outcome, RpcError):
        raise Busy(str(outcome)) if outcome.busy else outcome
    return outcome


def reason_of(cause: Exception) -> str:
    """Return why a request failed. The texts of some errors contain the whole URL, with its key."""
    match cause:
        case Busy():
            return str(cause)
        case aiohttp.ClientResponseError():
            return f"HTTP {cause.status} {_one_line(cause.message)}"
        case aiohttp.InvalidURL():
            return "its URL is not usable"
        case aiohttp.ClientConnectorError():
            return f"no connection ({cause.os_error.strerror or type(cause.os_error).__name__})"
        case TimeoutError():
            return "no answer within the time limit"
        case aiohttp.ClientError() | OSError():
            return f"the connection was cut ({type(cause).__name__})"
        case _:
            return "its answer is not JSON"


def _one_line(text: object) -> str:
    """Return a node's text as a clause on one line, whatever the node sent."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST_TEXT else line[:_LONGEST_TEXT] + "…"


def is_transient(outcome: Any) -> bool:
    """Return whether a retry may succeed: the answer is missing, or the reason of the refusal is temporary."""
    return isinstance(outcome, RpcError) and (
        outcome.state_gone or outcome.busy or outcome.message == _NO_ANSWER
    )


def outcome_of(method: str, answer: Any) -> Any | RpcError:
    """Return the result in a JSON-RPC answer, or its error; an answer of another shape is an error too."""
    if not isinstance(answer, dict):
        return RpcError(method, 0, _NO_ANSWER)
    error = answer.get("error")
    if error is None:
        if "result" not in answer:
            return RpcError(method, 0, "the answer has neither result nor error")
        return answer["result"]
    if not isinstance(error, dict):
        return RpcError(method, 0, _one_line(error))
    code = error.get("code")
    message = _one_line(error.get("message", ""))
    return RpcError(method, code if isinstance(code, int) else 0, message, error.get("data"))
