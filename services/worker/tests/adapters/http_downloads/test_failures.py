"""Failures of requests: which may be this host's, and one sentence for each."""

import errno
import socket

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from workerpool_worker.adapters.http_downloads.failures import (
    TransientFailure,
    of_another_server,
    of_exception,
    of_status,
)
from workerpool_worker.errors import DownloadFailed, ServerBusy, ServerDown

KEY = ConnectionKey("h", 80, False, True, None, None, None)


def connecting(number: int) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(KEY, OSError(number, "text"))


def looking_up(number: int) -> aiohttp.ClientConnectorDNSError:
    return aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(number, "text"))


@pytest.mark.parametrize(
    ("failure", "may_be_host", "text"),
    [
        (connecting(errno.ECONNREFUSED), False, "connection refused"),
        (connecting(errno.ECONNRESET), False, "connection reset"),
        (connecting(errno.ENETUNREACH), True, "network is unreachable"),
        (connecting(errno.EHOSTUNREACH), True, "no route to host"),
        (connecting(errno.EADDRNOTAVAIL), True, "cannot assign"),
        (connecting(errno.EMFILE), True, "too many open files"),
        (connecting(errno.EPERM), True, "not permitted"),
        (looking_up(socket.EAI_AGAIN), True, "DNS does not answer"),
        (looking_up(socket.EAI_FAIL), True, "DNS does not answer"),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(errno.ECONNREFUSED, "x")), True, "HTTP proxy"),
        (aiohttp.ConnectionTimeoutError("x"), True, "does not accept connections"),
        (TimeoutError(), True, "does not accept connections"),
        (aiohttp.ServerDisconnectedError(), False, "closed the connection"),
        (aiohttp.ClientOSError(errno.EPIPE, "x"), False, "broken pipe"),
    ],
)
def test_a_failure_that_a_retry_may_resolve(failure: Exception, may_be_host: bool, text: str) -> None:
    found = of_exception(failure)
    assert isinstance(found, TransientFailure)
    assert text in str(found)
    assert found.may_be_host is may_be_host


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (looking_up(socket.EAI_NONAME), "its host name does not exist"),
        (aiohttp.InvalidURL("http://secret@h"), "not valid HTTP"),
        (aiohttp.ClientPayloadError("http://secret@h"), "not valid HTTP"),
        (ValueError("secret"), "not valid HTTP"),
    ],
)
def test_a_failure_that_stays(failure: Exception, text: str) -> None:
    found = of_exception(failure)
    assert isinstance(found, DownloadFailed)
    assert text in str(found)
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("status", "through_proxy", "transient", "may_be_host"),
    [
        (404, False, False, False),
        (404, True, False, False),
        (407, False, False, False),
        (407, True, True, True),
        (429, True, True, False),
        (500, True, True, False),
        (502, False, True, False),
        (502, True, True, True),
        (504, True, True, True),
    ],
)
def test_a_status(status: int, through_proxy: bool, transient: bool, may_be_host: bool) -> None:
    found = of_status(status, through_proxy=through_proxy)
    assert isinstance(found, TransientFailure) is transient
    assert getattr(found, "may_be_host", False) is may_be_host


def class_of(failure: Exception) -> type[Exception]:
    """Return the class of the failure that the caller sees if no retry succeeds."""
    return failure.error if isinstance(failure, TransientFailure) else type(failure)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (connecting(errno.ECONNREFUSED), ServerDown),
        (connecting(errno.ENETUNREACH), ServerDown),
        (looking_up(socket.EAI_AGAIN), ServerDown),
        (looking_up(socket.EAI_NONAME), ServerDown),
        (aiohttp.ConnectionTimeoutError("x"), ServerDown),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(errno.ECONNREFUSED, "x")), ServerDown),
        (aiohttp.ClientConnectorSSLError(KEY, OSError(0, "x")), ServerDown),
        (aiohttp.ServerDisconnectedError(), DownloadFailed),
        (aiohttp.ClientOSError(errno.ECONNRESET, "x"), DownloadFailed),
        (aiohttp.ClientPayloadError("x"), DownloadFailed),
    ],
)
def test_a_server_is_down_only_if_no_request_reached_it(
    failure: Exception, expected: type[Exception]
) -> None:
    """What a server does after a request may be due to the file that a requester chose."""
    assert class_of(of_exception(failure)) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, DownloadFailed), (410, DownloadFailed), (500, DownloadFailed), (502, DownloadFailed)]
    + [(status, ServerBusy) for status in (408, 425, 429, 503)],
)
def test_a_status_distinguishes_a_busy_server_from_a_missing_file(
    status: int, expected: type[Exception]
) -> None:
    assert class_of(of_status(status, through_proxy=False)) is expected


def test_a_gateway_that_did_not_find_a_content_is_not_tried_again() -> None:
    assert isinstance(of_status(504, through_proxy=False), TransientFailure)
    assert isinstance(of_status(504, through_proxy=True, is_ipfs=True), TransientFailure)
    assert type(of_status(504, through_proxy=False, is_ipfs=True)) is DownloadFailed


@pytest.mark.parametrize(
    "failure",
    [connecting(errno.ECONNREFUSED), looking_up(socket.EAI_NONAME), aiohttp.ClientPayloadError("x")],
)
def test_the_target_of_a_redirect_is_another_server(failure: Exception) -> None:
    """Otherwise the publisher of a content could make every gateway look down."""
    found = of_another_server(of_exception(failure))
    assert class_of(found) is DownloadFailed
    assert str(found) == str(of_exception(failure))
