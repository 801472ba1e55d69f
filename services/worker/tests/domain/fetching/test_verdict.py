"""Whose failure it is when no source has a file: the requester's after a word about the file, else the host's."""

import pytest
from workerpool_worker.domain.fetching.sources import FileSource
from workerpool_worker.domain.fetching.verdict import verdict
from workerpool_worker.errors import (
    ChecksumMismatch,
    DownloadFailed,
    GatewaysBusy,
    HostNetworkUnavailable,
    ServerBusy,
    ServerDown,
)

GATEWAY = FileSource("http://gateway.test/ipfs/x", "http://gateway.test", is_ipfs=True)
OWN = FileSource("http://own.test/ipfs/x", is_ipfs=True)
DOWN, BUSY = ServerDown("it is down"), ServerBusy("it is busy")
MISSING, WRONG = DownloadFailed("it has no such file"), ChecksumMismatch("other bytes")


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([], HostNetworkUnavailable),
        ([(GATEWAY, DOWN), (GATEWAY, DOWN)], HostNetworkUnavailable),
        ([(GATEWAY, DOWN), (GATEWAY, BUSY)], GatewaysBusy),
        ([(OWN, MISSING), (GATEWAY, DOWN)], HostNetworkUnavailable),
        ([(GATEWAY, DOWN), (GATEWAY, MISSING)], DownloadFailed),
        ([(GATEWAY, WRONG), (GATEWAY, MISSING)], ChecksumMismatch),
        ([(OWN, DOWN)], ServerDown),
    ],
    ids=[
        "no gateway",
        "all down",
        "down and busy",
        "own word only",
        "a word",
        "wrong bytes",
        "no gateway asked",
    ],
)
def test_the_verdict(failures: list[tuple[FileSource, DownloadFailed]], expected: type[Exception]) -> None:
    assert type(verdict(failures)) is expected
