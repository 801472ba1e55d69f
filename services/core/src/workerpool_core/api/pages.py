"""Pages bounded by the size of a gRPC message; the next call returns the rest."""

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

_MAX_BYTES = 3 * 1024 * 1024
"""Most bytes of the parts of one page; a gRPC client accepts 4 MiB by default."""


def fit_page(parts: Iterable[M]) -> list[M]:
    """Return the first parts that fit into one page, and at least one part if there is any."""
    taken: list[M] = []
    size = 0
    for part in parts:
        size += part.ByteSize()
        if taken and size > _MAX_BYTES:
            break
        taken.append(part)
    return taken
