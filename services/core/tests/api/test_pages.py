"""An answer takes parts up to the size of a message, and always at least one."""

import pytest
from workerpool_core.api import pages
from workerpool_protocol.core.v1.task_pb2 import ComputeLogs


def logs(count: int, size: int) -> list[ComputeLogs]:
    return [ComputeLogs(wallet_address=str(number), stdout="x" * size) for number in range(count)]


@pytest.mark.parametrize(
    ("parts", "fitting"),
    [
        (logs(0, 0), 0),
        (logs(3, 10), 3),
        (logs(1, 2 * pages._MAX_BYTES), 1),
        (logs(4, pages._MAX_BYTES // 2 - 100), 2),
    ],
)
def test_the_first_parts_that_fit_are_taken(parts: list[ComputeLogs], fitting: int) -> None:
    assert pages.fit_page(parts) == parts[:fitting]
