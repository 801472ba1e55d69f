"""Identities of callers, and the authenticators that read them from the metadata of a call."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from workerpool_kit.errors import Unauthenticated, WorkerpoolError

AUTHORIZATION = "authorization"

OPERATOR = "operator"
"""The role of the people who run the pool; each of their calls leaves a line in the audit log."""

ANYONE = "anyone"
"""The role that makes a method public."""


@dataclass(frozen=True)
class Identity:
    """A caller: `subject` is its wallet address or user name, `roles` are what policies name."""

    subject: str
    roles: frozenset[str]


ANONYMOUS = Identity("", frozenset())
"""The identity of a caller without credentials."""

identity_of_call: ContextVar[Identity] = ContextVar("identity_of_call", default=ANONYMOUS)
"""Set by the server for each call; read it through `current_identity`."""


def current_identity() -> Identity:
    """Return the caller of the current call, `ANONYMOUS` without credentials."""
    return identity_of_call.get()


class Authenticator(Protocol):
    """Reads one kind of credentials."""

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the caller, None when the metadata (lower-case keys) has no credentials of this kind.

        Raises WorkerpoolError of kind UNAUTHENTICATED when the credentials are wrong.
        """


class WrongPassword(Unauthenticated):
    """The user name or the password of basic credentials is wrong."""


def has_password(metadata: Mapping[str, str]) -> bool:
    """Return whether a call has basic credentials."""
    return metadata.get(AUTHORIZATION, "").partition(" ")[0].lower() == "basic"


class BasicAuthenticator:
    """HTTP basic credentials of one user (RFC 7617), as the tools of the pool owner send them."""

    def __init__(self, username: str, password: str | SecretStr, role: str) -> None:
        plain = password.get_secret_value() if isinstance(password, SecretStr) else password
        self._expected = f"{username}:{plain}".encode()
        self._identity = Identity(username, frozenset({role}))

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the identity of the user; see `Authenticator`. Raises WrongPassword."""
        if not has_password(metadata):
            return None
        value = metadata[AUTHORIZATION].partition(" ")[2]
        try:
            given = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            given = b""
        # Constant time: the duration must not reveal how many characters match.
        if not hmac.compare_digest(given, self._expected):
            raise WrongPassword("wrong user name or password; correct the credentials")
        return self._identity


class BearerAuthenticator:
    """Bearer tokens, checked by `verify` (usually `Tokens.verify`), which raises for an invalid token."""

    def __init__(self, verify: Callable[[str], Awaitable[Identity]]) -> None:
        self._verify = verify

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the identity in the token; see `Authenticator`."""
        scheme, _, token = metadata.get(AUTHORIZATION, "").partition(" ")
        return await self._verify(token.strip()) if scheme.lower() == "bearer" else None


class AnyOf:
    """Tries authenticators in order; the first identity found is the caller."""

    def __init__(self, *authenticators: Authenticator) -> None:
        self._authenticators = authenticators

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the first identity found. Raises the first refusal when no authenticator accepts the caller."""
        refusal: WorkerpoolError | None = None
        for authenticator in self._authenticators:
            try:
                identity = await authenticator.authenticate(metadata)
            except WorkerpoolError as error:
                refusal = refusal or error
            else:
                if identity is not None:
                    return identity
        if refusal is not None:
            raise refusal
        return None
