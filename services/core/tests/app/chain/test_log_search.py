"""Errors of a size that was never answered are refusals; others are repeated first."""

from collections.abc import Collection, Sequence
from typing import Any

import pytest
from workerpool_core.app.chain.log_search import LogSearch
from workerpool_poco.errors import RpcError


class Reader:
    """A node that answers searches of up to `largest` blocks."""

    def __init__(self, largest: int) -> None:
        self.largest = largest

    async def logs_and_blocks(
        self, first: int, last: int, numbers: Sequence[int], *, kinds: Collection[Any]
    ) -> tuple[list[Any], list[Any]]:
        if last - first + 1 > self.largest:
            raise RpcError("eth_getLogs", -32000, "no")
        return [], []


async def test_an_error_of_a_size_that_was_never_answered_is_a_refusal() -> None:
    reader: Any = Reader(10)
    search = LogSearch(reader, 100)
    assert await search.search(1, 20) is None
    assert search.blocks == 10
    assert await search.search(1, 10) == ([], [])


async def test_an_error_of_a_usual_size_is_raised_until_it_repeats() -> None:
    reader: Any = Reader(100)
    search = LogSearch(reader, 100)
    assert await search.search(1, 20) == ([], [])
    reader.largest = 0
    for _ in range(2):
        with pytest.raises(RpcError):
            await search.search(1, 20)
    assert await search.search(1, 20) is None
    assert search.blocks == 10
