"""The Range header of resumed downloads."""

from typing import Any

import pytest
from workerpool_result_proxy.domain.ranges import RangeNotSatisfiable, byte_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-1000", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-1000", (0, 99)),
        # Ignored, as RFC 9110 allows: the whole file is sent.
        ("bytes=-", None),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("nonsense", None),
    ],
)
def test_ranges_of_a_file_of_100_bytes(header: Any, expected: Any) -> None:
    assert byte_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_after_the_end_cannot_be_served(header: Any) -> None:
    with pytest.raises(RangeNotSatisfiable):
        byte_range(header, 100)
