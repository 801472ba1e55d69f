"""Refusals of reads."""

from workerpool_kit.errors import Kind

from workerpool_result_proxy.errors.base import ResultProxyError


class ResultNotFound(ResultProxyError):
    """No result is stored for this task."""

    kind = Kind.NOT_FOUND
    reason = "RESULT_NOT_FOUND"


class OffsetBeyondEnd(ResultProxyError):
    """A download starts after the last byte."""

    kind = Kind.INVALID
    reason = "OFFSET_BEYOND_END"
