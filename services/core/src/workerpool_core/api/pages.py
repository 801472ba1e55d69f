"""Answers that hold as much as fits into one message; what does not fit is asked for with the next call."""

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

_MOST_BYTES = 3 * 1024 * 1024
"""Bytes of the parts of an answer, of the 4 MiB that gRPC carries and a client takes unless it says otherwise."""


def fitting(parts: Iterable[M]) -> list[M]:
    """Return the first parts that fit into one answer, at least one if there is any."""
    taken: list[M] = []
    size = 0
    for part in parts:
        size += part.ByteSize()
        if taken and size > _MOST_BYTES:
            break
        taken.append(part)
    return taken
