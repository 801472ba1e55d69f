"""The one error of this package, and how a failed call becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

_DOMAIN = "workerpool"
_DETAILS_KEY = "grpc-status-details-bin"
_NEXT_STEP = "next_step"
_TLS_WORDS = ("ssl", "tls", "handshake", "certificate")
_STEPS = {
    "UNREACHABLE": "check the address and its port, that the pool runs, and whether it wants TLS (https://, CA file)",
    "TLS_FAILED": "check that this port speaks TLS, and name the authority of its certificate with a CA file",
    "DEADLINE_EXCEEDED": "check the address and its port, or allow a longer deadline",
    "UNIMPLEMENTED": "check that core of a workerpool stands at the address, and update the older side",
    "CANCELLED": "repeat the call if it was not you that ended it",
}
_OTHER_STEP = "check that core of a workerpool stands at the address, and read its log"


class WorkerpoolError(Exception):
    """A call that failed, or a connection that this package refuses to open.

    Attributes:
        reason: UPPER_SNAKE and stable, such as UNKNOWN_TASK; UNREACHABLE, TLS_FAILED, DEADLINE_EXCEEDED or the name of
            the gRPC status when the pool itself did not answer.
        cause: What happened, in one sentence.
        next_step: What to do about it.
        code: The gRPC status; None when nothing was called.
        details: Further facts for programs, by name.
    """

    def __init__(
        self,
        reason: str,
        cause: str,
        next_step: str,
        *,
        code: grpc.StatusCode | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the parts; the text of the error is `REASON: cause; next step`."""
        super().__init__(f"{reason}: {cause}; {next_step}" if next_step else f"{reason}: {cause}")
        self.reason = reason
        self.cause = cause
        self.next_step = next_step
        self.code = code
        self.details = dict(details or {})

    @classmethod
    def of(cls, error: grpc.RpcError) -> WorkerpoolError:
        """Return what a failed call means."""
        call: Any = error
        code, message = call.code(), call.details() or ""
        info = _error_info(call.trailing_metadata())
        if info is None:
            return _without_info(code, " ".join(message.split()))
        details = dict(info.metadata)
        next_step = details.pop(_NEXT_STEP, "")
        cause = message.removesuffix(f"; {next_step}") if next_step else message
        return cls(info.reason, cause, next_step, code=code, details=details)

    def after_waiting(self, seconds: float) -> WorkerpoolError:
        """Return this error with the seconds that the pool was awaited in its cause."""
        cause = f"{self.cause} (waited {seconds:.1f} s)"
        return WorkerpoolError(self.reason, cause, self.next_step, code=self.code, details=self.details)


def _error_info(metadata: Any) -> Any:
    """Return the ErrorInfo of a workerpool, None without one."""
    for key, value in metadata or ():
        if key != _DETAILS_KEY:
            continue
        try:
            details = Status.FromString(value).details
        except DecodeError:
            return None
        for packed in details:
            info = ErrorInfo()
            if packed.Unpack(info) and info.domain == _DOMAIN:
                return info
    return None


def _without_info(code: grpc.StatusCode, message: str) -> WorkerpoolError:
    """Return an error that the transport made, or a server that is no workerpool."""
    reason = code.name
    if code is grpc.StatusCode.UNAVAILABLE:
        failed = any(word in message.lower() for word in _TLS_WORDS)
        reason = "TLS_FAILED" if failed else "UNREACHABLE"
    return WorkerpoolError(reason, message or code.name, _STEPS.get(reason, _OTHER_STEP), code=code)
