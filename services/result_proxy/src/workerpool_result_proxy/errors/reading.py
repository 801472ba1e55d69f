"""Refusals of reads."""

from workerpool_kit.errors import Kind

from workerpool_result_proxy.errors.base import ResultProxyError


class ResultNotFound(ResultProxyError):
    """No result is stored for this task."""

    kind = Kind.NOT_FOUND
    reason = "RESULT_NOT_FOUND"


class ResultIncomplete(ResultProxyError):
    """The store has lost bytes of a stored archive."""

    kind = Kind.DATA_LOSS
    reason = "RESULT_BYTES_MISSING"


class OffsetBeyondEnd(ResultProxyError):
    """A download starts after the last byte."""

    kind = Kind.INVALID
    reason = "OFFSET_BEYOND_END"


class ContentNotFound(ResultProxyError):
    """The IPFS node does not have this content, or it is not a file."""

    kind = Kind.NOT_FOUND
    reason = "IPFS_CONTENT_NOT_FOUND"


class ContentIncomplete(ResultProxyError):
    """The IPFS node lists this file but lacks some of its bytes."""

    kind = Kind.DATA_LOSS
    reason = "IPFS_CONTENT_INCOMPLETE"


class IpfsNotConfigured(ResultProxyError):
    """This proxy has no IPFS node."""

    kind = Kind.NOT_FOUND
    reason = "IPFS_NOT_CONFIGURED"


class GatewayBusy(ResultProxyError):
    """Too many files are being read from IPFS."""

    kind = Kind.UNAVAILABLE
    reason = "GATEWAY_BUSY"
