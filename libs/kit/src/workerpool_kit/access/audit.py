"""The audit log: one event for each login and each operator call, with caller, call and address.

The lines are log events whose names start with `audit.`, so one filter selects them.
"""

from urllib.parse import unquote

from google.protobuf import text_format
from google.protobuf.message import Message

from workerpool_kit.logs import get_logger

log = get_logger()

_LONGEST_REQUEST = 1_000
"""Longest request text in an event, in characters."""


def order_handled(who: str, method: str, request: Message | None, outcome: str, peer: str) -> None:
    """Log a finished call of an operator.

    Args:
        who: user name of the operator.
        method: full name of the method.
        request: the request; None when it could not be read or is a stream.
        outcome: gRPC code of the answer; for an order on a page OK, or the reason of the error.
        peer: address of the caller, as the transport names it.
    """
    # JSON cannot express every invalid message, such as a duration out of range.
    content = "" if request is None else text_format.MessageToString(request, as_one_line=True)
    log.info(
        "audit.order_handled",
        who=who,
        method=method,
        request=content[:_LONGEST_REQUEST],
        outcome=outcome,
        peer=_readable(peer),
    )


def logged_in(who: str, peer: str) -> None:
    """Log that a caller proved its identity and received a token."""
    log.info("audit.logged_in", who=who, peer=_readable(peer))


def access_refused(method: str, reason: str, message: str, peer: str) -> None:
    """Log that a caller was refused: its credentials are missing or wrong, or it lacks the role of the method."""
    log.info("audit.access_refused", method=method, reason=reason, message=message, peer=_readable(peer))


def _readable(peer: str) -> str:
    """Return the address of a caller with the brackets of IPv6, which gRPC writes as `%5B` and `%5D`."""
    return unquote(peer)
