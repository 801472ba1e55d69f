"""What a caller shows with every call: a user name and password, or a bearer token."""

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Basic:
    """User name and password of an operator; see `basic`."""

    username: str
    password: str = field(repr=False)

    @property
    def authorization(self) -> str:
        """The value of the header `authorization`."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Bearer:
    """A token that a service of the pool gave out; see `bearer`."""

    token: str = field(repr=False)

    @property
    def authorization(self) -> str:
        """The value of the header `authorization`."""
        return f"Bearer {self.token}"


Credentials = Basic | Bearer


def basic(username: str, password: str) -> Basic:
    """Return the credentials of a user name and a password (RFC 7617)."""
    return Basic(username, password)


def bearer(token: str) -> Bearer:
    """Return the credentials of a token (RFC 6750)."""
    return Bearer(token)
