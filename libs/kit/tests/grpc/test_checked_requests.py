"""Requests are parsed and validated before a servicer sees them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from workerpool_kit.grpc.checked_requests import CheckedStream, checked, tolerant
from workerpool_kit.grpc.validation import InvalidMessage
from workerpool_protocol.registry.v1 import platform_service_pb2 as pb

VALID = pb.GetStackRequest(stack="prod")


def parsed(data: bytes) -> Any:
    parse = tolerant(pb.GetStackRequest.FromString)
    assert parse is not None
    return parse(data)


def test_valid_message_passes_unchanged() -> None:
    assert checked(parsed(VALID.SerializeToString())) == VALID


def test_unparsable_bytes_are_refused_with_a_reason_of_their_own() -> None:
    with pytest.raises(InvalidMessage) as refused:
        checked(parsed(b"\xff\xff\xff"))
    assert refused.value.reason == "MALFORMED_MESSAGE"


def test_broken_rule_is_refused_by_field() -> None:
    with pytest.raises(InvalidMessage, match="stack"):
        checked(pb.GetStackRequest(stack="no/slash"))


def test_method_without_a_deserializer_keeps_none() -> None:
    assert tolerant(None) is None


async def test_stream_validates_each_message_when_it_is_read() -> None:
    async def requests() -> AsyncIterator[pb.GetStackRequest]:
        yield VALID
        yield pb.GetStackRequest(stack="no/slash")

    stream = CheckedStream(requests())
    assert await anext(stream) == VALID
    with pytest.raises(InvalidMessage):
        await anext(stream)
