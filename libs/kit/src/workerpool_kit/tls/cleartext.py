"""Passwords and tokens without TLS: refused beyond this host unless the operator allows them."""

from workerpool_kit.settings.types import is_loopback
from workerpool_kit.targets import host_of

VARIABLE = "WORKERPOOL_ALLOW_CLEARTEXT"

_allowed = False


class CleartextRefused(ValueError):
    """Credentials would leave this host without TLS; the message names the setting that allows it."""


def allow_cleartext(allowed: bool) -> bool:
    """Set whether this process may send credentials without TLS to other hosts; return what was set before."""
    global _allowed
    before, _allowed = _allowed, allowed
    return before


def check_cleartext(address: str, what: str, *, allowed: bool | None = None) -> None:
    """Raise CleartextRefused when credentials for a URL or gRPC target would leave this host without TLS.

    Args:
        address: `host:port`, or an http or https URL.
        what: the credentials in words, such as `the password for the chain adapter`.
        allowed: whether the operator allows it; the setting of the process by default.
    """
    if (_allowed if allowed is None else allowed) or address.startswith("https:"):
        return
    if not is_loopback(host_of(address)):
        raise CleartextRefused(
            f"{what} would travel to {host_of(address)} without TLS; give an https address, or set {VARIABLE}=true if "
            "the network between the two is private"
        )
