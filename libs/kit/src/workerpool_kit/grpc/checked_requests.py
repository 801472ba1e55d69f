"""Requests checked before a servicer sees them: parsed, and valid by the rules of their schema."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import DecodeError

from workerpool_kit.grpc.validation import InvalidMessage, validate


class _Malformed:
    """Stands for an unparsable message until the guard refuses it."""


def tolerant(parse: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """Return a deserializer that marks unparsable bytes; gRPC itself would end the call without a reason."""
    if parse is None:
        return None

    def parse_or_mark(data: bytes) -> Any:
        try:
            return parse(data)
        except DecodeError:
            return _Malformed()

    return parse_or_mark


def checked(message: Any) -> Any:
    """Return a valid message. Raises InvalidMessage for unparsable bytes and for a broken rule of the schema."""
    if isinstance(message, _Malformed):
        raise InvalidMessage("the bytes are not a message of the expected type", reason="MALFORMED_MESSAGE")
    validate(message)
    return message


class CheckedStream:
    """A request stream that validates each message when it is read."""

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._requests = aiter(requests)

    def __aiter__(self) -> "CheckedStream":
        return self

    async def __anext__(self) -> Any:
        return checked(await anext(self._requests))
