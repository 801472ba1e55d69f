"""Failed calls as sentences: what failed, why, and what to do."""

import grpc
from workerpool_kit.grpc.errors import error_reason
from workerpool_kit.targets import grpc_target_of

from poolctl.adapters.reachability import probe_port
from poolctl.errors import CommandFailed, NotFound, Refused, Unreachable, UnusableSettings

_CREDENTIALS = {
    "core": "IEXEC_CORE_OPERATOR_USERNAME and IEXEC_CORE_OPERATOR_PASSWORD (or _FILE)",
    "chain_adapter": "IEXEC_CORE_CHAIN_ADAPTER_USERNAME and IEXEC_CORE_CHAIN_ADAPTER_PASSWORD (or _FILE)",
    "order_publisher": "ORDER_PUBLISHER_OPERATOR_USERNAME and ORDER_PUBLISHER_OPERATOR_PASSWORD (or _FILE)",
}
_URLS = {
    "core": "IEXEC_CORE_URL (--core-url)",
    "chain_adapter": "IEXEC_CORE_CHAIN_ADAPTER_URL (--adapter-url)",
    "order_publisher": "ORDER_PUBLISHER_URL (--publisher-url)",
    "registry": "IEXEC_CONFIG_SERVER_URL",
}
_AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
_NO_ACCESS = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})


async def explained(service: str, url: str, error: grpc.aio.AioRpcError) -> CommandFailed:
    """Return a failed call of a service at a URL as the end of the command."""
    code, details = error.code(), error.details() or error.code().name
    if code in _AWAY and error_reason(error) is None:
        return unreachable(service, url, await _cause(url, details))
    return answered(service, url, code, details)


def unreachable(service: str, url: str, cause: str) -> Unreachable:
    """Return that a service does not answer, and why, as the end of the command."""
    return Unreachable(
        f"{service} at {url} does not answer: {cause}",
        f"start it, or correct {_URLS.get(service, 'its URL')}; `poolctl doctor` checks every service",
    )


def answered(service: str, url: str, code: grpc.StatusCode, details: str) -> CommandFailed:
    """Return what a service answered instead of a result as the end of the command."""
    if code in _NO_ACCESS:
        return Refused(
            f"{service} at {url} refuses the call: {details}",
            f"set {_CREDENTIALS.get(service, 'its credentials')} as {service} has them",
        )
    if code is grpc.StatusCode.NOT_FOUND:
        return NotFound(
            details, "compare the id; `poolctl tasks` and `poolctl workers` list what the pool has"
        )
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return UnusableSettings(details, "correct the argument")
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return CommandFailed(
            f"{service} at {url} does not have this call", f"update {service} to the version of poolctl"
        )
    return CommandFailed(f"{service} at {url} failed: {details}", f"read the log of {service}")


async def _cause(url: str, details: str) -> str:
    """Return why a service cannot be reached, found by its ports."""
    http = await probe_port(url)
    if not http.is_open:
        return f"{http.address}: {http.problem}"
    try:
        grpc_port = await probe_port(grpc_target_of(url))
    except ValueError:
        return details
    if not grpc_port.is_open:
        return f"its HTTP port is open, but gRPC at {grpc_port.address} is not ({grpc_port.problem})"
    return details
