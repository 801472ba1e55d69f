"""Who is calling: identities, and the authenticators that read them from a call's metadata."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from workerpool_kit.errors import Unauthenticated, WorkerpoolError

ANYONE = "anyone"
"""The role that opens a method to callers without an identity."""


@dataclass(frozen=True)
class Identity:
    """A caller: `subject` names it (a wallet address, a user name), `roles` say what it may call."""

    subject: str
    roles: frozenset[str]


ANONYMOUS = Identity("", frozenset())
"""What `current_identity` returns when the caller gave no credentials."""

identity_of_call: ContextVar[Identity] = ContextVar("identity_of_call", default=ANONYMOUS)
"""Set by the server for each call; read it through `current_identity`."""


def current_identity() -> Identity:
    """Return the caller of the call being served, `ANONYMOUS` when it gave no credentials."""
    return identity_of_call.get()


class Authenticator(Protocol):
    """Reads one sort of credentials."""

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the caller, or None when the metadata (lower-case keys) holds no credentials of this sort.

        Raises WorkerpoolError of kind UNAUTHENTICATED when the credentials are wrong.
        """


class BasicAuthenticator:
    """HTTP basic credentials of one user, the scheme the pool owner's tools use (RFC 7617)."""

    def __init__(self, username: str, password: str | SecretStr, role: str) -> None:
        plain = password.get_secret_value() if isinstance(password, SecretStr) else password
        self._expected = f"{username}:{plain}".encode()
        self._identity = Identity(username, frozenset({role}))

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the one user's identity; see `Authenticator`."""
        scheme, _, value = metadata.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            given = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            given = b""
        # Constant time, so that the answer does not tell how many characters were right.
        if not hmac.compare_digest(given, self._expected):
            raise Unauthenticated("wrong user name or password")
        return self._identity


class BearerAuthenticator:
    """Bearer tokens, checked by `verify` (usually `Tokens.verify`), which raises when a token is not good."""

    def __init__(self, verify: Callable[[str], Awaitable[Identity]]) -> None:
        self._verify = verify

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the identity the token was issued to; see `Authenticator`."""
        scheme, _, token = metadata.get("authorization", "").partition(" ")
        return await self._verify(token.strip()) if scheme.lower() == "bearer" else None


class AnyOf:
    """Tries several authenticators in order; the first that recognises the caller wins."""

    def __init__(self, *authenticators: Authenticator) -> None:
        self._authenticators = authenticators

    async def authenticate(self, metadata: Mapping[str, str]) -> Identity | None:
        """Return the first identity found; raise the first refusal only when none accepts. See `Authenticator`."""
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
