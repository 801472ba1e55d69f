"""Failed image pulls, classified by the engine's text: the image, its registry, or the host."""

import re
from enum import StrEnum


class PullFailure(StrEnum):
    """What a failed pull says about its cause."""

    IMAGE = "IMAGE"
    """The registry answered: it has no such image, or none for this platform."""
    DENIED = "DENIED"
    """The registry refuses access: without credentials it has no such public image, with some these may be wrong."""
    ABSENT = "ABSENT"
    """DNS says that the registry's host does not exist. A large registry is never absent, so this host's DNS errs."""
    REFUSED = "REFUSED"
    """The registry's host refuses connections, or speaks no TLS."""
    LOOKUP = "LOOKUP"
    """DNS gave no answer about the registry's name: the host's DNS or that of the registry is in trouble."""
    LIMITED = "LIMITED"
    """The registry limits the rate of requests."""
    OUTAGE = "OUTAGE"
    """TLS, a proxy, a timeout or a server error: the registry or the host is in trouble."""
    DISK = "DISK"
    """The engine's disk is full."""


_STATUS = r"\b(?:http|status:?|code:?) "
_TEXTS: tuple[tuple[PullFailure, str], ...] = (
    (
        PullFailure.DISK,
        r"^(?:failed to (?:register|extract|apply) layer|error creating|write /|open /|mkdir /|rename /|link /).*"
        r": (?:no space left on device|disk quota exceeded|read-only file system)\W*$",
    ),
    # These name the image, whose tag may look like a status.
    (
        PullFailure.IMAGE,
        r"^manifest for \S+ not found|no matching manifest for|manifest unknown|name unknown",
    ),
    (PullFailure.LIMITED, rf"toomanyrequests|rate limit|too many requests|{_STATUS}429\b"),
    # An absent name server refuses connections too: that is not the registry's refusal.
    (PullFailure.LOOKUP, r"dial tcp: lookup (?!.*no such host)|server misbehaving|temporary failure in name"),
    (
        PullFailure.OUTAGE,
        rf"{_STATUS}5\d\d\b|\b5\d\d (?:internal|bad|service|gateway)|server error|x509:|tls:|tls handshake|timeout"
        r"|timed out|deadline exceeded|proxyconnect|try again|temporary failure|network is unreachable"
        r"|no route to host|connection reset|broken pipe|\beof\b|too many open files"
        r"|cannot assign requested address|request canceled",
    ),
    (PullFailure.ABSENT, r"no such host"),
    (PullFailure.REFUSED, r"connection refused|http response to https client"),
    (
        PullFailure.DENIED,
        r"unauthorized|denied|authentication required|no basic auth credentials|insufficient_scope"
        rf"|incorrect username or password|{_STATUS}40[13]\b|forbidden",
    ),
)
"""Texts of the engine, the most certain first.

A disk error is recognised by its beginning and its end: what a registry answers stands behind the error's code, and the
names of an image's files stand before the error's reason, so neither can pass for the host's disk.
"""
_PATTERNS = tuple((failure, re.compile(text, re.IGNORECASE | re.DOTALL)) for failure, text in _TEXTS)

_ADDRESS = re.compile(r"(?:\b\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+(?:%\w+)?\])(?::\d+)?")
_WAIT = re.compile(
    r"retry[- ]after[:=]?\s*(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>ns|[uµ]s|ms|s|m|h)?\b", re.IGNORECASE
)
_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def without_addresses(reason: str) -> str:
    """Return the engine's text for a requester: without IP addresses, which describe the worker's own network."""
    return _ADDRESS.sub("…", reason)


def pull_failure(reason: str) -> PullFailure:
    """Return what the engine's text of a failed pull means. An unknown text blames the image."""
    return next((failure for failure, pattern in _PATTERNS if pattern.search(reason)), PullFailure.IMAGE)


def wanted_pause_s(reason: str) -> float:
    """Return the pause in seconds that a registry requests; 0 if the text names none.

    The engine passes on what the registry writes, not its header Retry-After.
    """
    found = _WAIT.search(reason)
    return float(found["count"]) * _UNIT_S[(found["unit"] or "s").lower()] if found else 0.0
