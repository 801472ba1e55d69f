"""Failures of a request by cause: the file's server, the URL, or this host."""

import errno
import os
import socket

import aiohttp

from workerpool_worker.errors import DownloadFailed, ServerBusy, ServerDown

_UNKNOWN_NAME = frozenset(
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)
)
_SERVER_ERRORS = frozenset(
    {errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN, errno.EPROTO}
)
"""Errors that only the other side causes. Others, such as an unreachable network, may be this host's."""
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_BUSY_STATUSES = frozenset({408, 425, 429, 503})
"""Statuses that are about the server. A gateway answers 500, 502 and 504 for contents that it cannot find or read."""
_PROXY_STATUSES = frozenset({502, 503, 504})
_NOT_FOUND_IN_TIME = 504
PROXY_LOGIN = 407


class TransientFailure(Exception):
    """A retry may succeed. If the failure stays, `may_be_host` says whether this host may be its cause.

    `error` is the class to raise when retries do not help.
    """

    def __init__(
        self, message: str, *, may_be_host: bool = False, error: type[DownloadFailed] = DownloadFailed
    ) -> None:
        super().__init__(message)
        self.may_be_host = may_be_host
        self.error = error


def of_exception(failure: Exception) -> Exception:
    """Return the error of a failed request: `TransientFailure` or `DownloadFailed`, without the URL."""
    match failure:
        case aiohttp.ClientProxyConnectionError():
            return _down("the worker's HTTP proxy cannot be reached")
        case aiohttp.ClientHttpProxyError():
            return _down(f"the worker's HTTP proxy answered {failure.status}")
        case aiohttp.ClientConnectorDNSError():
            return _of_lookup(failure.os_error)
        case aiohttp.ClientConnectorCertificateError():
            return _down(_certificate_problem(failure.certificate_error))
        case aiohttp.ClientSSLError():
            return _down("the TLS handshake failed")
        case aiohttp.ServerTimeoutError() | TimeoutError():
            return _down("the server does not accept connections")
        case OSError():  # Includes aiohttp's own errors of connections.
            number = failure.errno or 0
            reason = os.strerror(number).lower() if number else "the connection failed"
            # A server may end a connection because of the requested file; it refuses one regardless of it.
            connecting = isinstance(failure, aiohttp.ClientConnectorError)
            error = ServerDown if connecting else DownloadFailed
            return TransientFailure(reason, may_be_host=number not in _SERVER_ERRORS, error=error)
        case aiohttp.ClientConnectionError():
            return TransientFailure("the server closed the connection without an answer")
    return DownloadFailed("the server's answer is not valid HTTP")


def of_status(status: int, *, through_proxy: bool, is_ipfs: bool = False) -> Exception:
    """Return the error of an answer that is not 200. `is_ipfs` says that the request was for a content of a gateway.

    If a gateway does not find a content, the next gateway is tried immediately.
    """
    if is_ipfs and status == _NOT_FOUND_IN_TIME and not through_proxy:
        return DownloadFailed(f"the server answered {status}")
    if status == PROXY_LOGIN and through_proxy:
        return TransientFailure(f"the worker's HTTP proxy answered {status}", may_be_host=True)
    if status in RETRIED_STATUSES:
        may_be_host = through_proxy and status in _PROXY_STATUSES
        error = ServerBusy if status in _BUSY_STATUSES else DownloadFailed
        return TransientFailure(f"the server answered {status}", may_be_host=may_be_host, error=error)
    return DownloadFailed(f"the server answered {status}")


def of_another_server(failure: Exception) -> Exception:
    """Return the failure of a server that a redirect led to: it does not show that the first server is in trouble.

    The publisher of a content can let gateways redirect to any server.
    """
    match failure:
        case TransientFailure():
            return TransientFailure(str(failure), may_be_host=failure.may_be_host)
        case ServerDown() | ServerBusy():
            return DownloadFailed(failure.message)
    return failure


def _down(reason: str) -> TransientFailure:
    """Return the failure to connect to a server, which may be this host's."""
    return TransientFailure(reason, may_be_host=True, error=ServerDown)


def _of_lookup(error: OSError) -> Exception:
    if error.errno in _UNKNOWN_NAME:
        return ServerDown("its host name does not exist")
    return _down("DNS does not answer for its host name")


def _certificate_problem(error: Exception) -> str:
    reason = getattr(error, "verify_message", "") or "it cannot be verified"
    return f"the server's certificate is not valid: {reason}"
