"""Whose failure it is when no source has a file of a task."""

from collections.abc import Sequence

from workerpool_worker.domain.fetching.sources import FileSource
from workerpool_worker.errors import (
    ChecksumMismatch,
    DownloadFailed,
    GatewaysBusy,
    HostNetworkUnavailable,
    ServerBusy,
    ServerDown,
    WorkerError,
)

_REMEDY = "check this host's network and WORKERPOOL_IPFS_GATEWAYS"


def verdict(failures: Sequence[tuple[FileSource, DownloadFailed]]) -> WorkerError:
    """Return the error for a file that no source has.

    Any answer of a gateway about the file counts: requesters can name contents that do not exist, and no
    such name may count as an outage of the host. Without an answer, the gateways are at fault, not the file.
    """
    if not failures:
        return HostNetworkUnavailable("no IPFS gateway is configured: set WORKERPOOL_IPFS_GATEWAYS")
    asked = [failure for source, failure in failures if source.gateway]
    if asked and all(isinstance(failure, ServerDown) for failure in asked):
        return HostNetworkUnavailable(f"{asked[-1].message}; no IPFS gateway accepts connections: {_REMEDY}")
    if asked and all(isinstance(failure, ServerDown | ServerBusy) for failure in asked):
        return GatewaysBusy(f"{asked[-1].message}; no IPFS gateway is free: {_REMEDY}")
    every = [failure for _, failure in failures]
    words = [failure for failure in every if not isinstance(failure, ServerDown | ServerBusy)]
    mismatches = [failure for failure in words if isinstance(failure, ChecksumMismatch)]
    return (mismatches or words or every)[-1]
