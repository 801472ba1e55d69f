"""Signed tokens (JWT, HS256) that survive a restart: rotating keys are kept in the service's database."""

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt

from workerpool_kit.access.authenticators import Identity
from workerpool_kit.clock import Clock, SystemClock
from workerpool_kit.errors import Unauthenticated

_ALGORITHM = "HS256"
_KEY_BYTES = 32
_RELOAD_PAUSE_S = 1.0


@dataclass(frozen=True)
class SigningKey:
    """One key; `kid` identifies it in the header of a token, `created_at` is in Unix seconds."""

    kid: str
    secret: bytes = field(repr=False)
    created_at: float


class KeyStore(Protocol):
    """Storage of the keys. Both methods may be plain or `async`; plain ones run in a thread."""

    def load(self) -> Any:
        """Return all stored keys (a list of SigningKey) in any order."""

    def save(self, key: SigningKey) -> Any:
        """Store a further key."""


class InvalidToken(Unauthenticated):
    """The token is malformed, signed with an unknown key, or issued for another audience."""

    reason = "TOKEN_INVALID"


class ExpiredToken(Unauthenticated):
    """The token has expired; log in again."""

    reason = "TOKEN_EXPIRED"


class Tokens:
    """Issues and verifies tokens. Processes may share a key store.

    A token is valid for `lifetime_s` seconds. A key signs for `rotate_after_s` seconds and verifies until its last
    token has expired.
    """

    def __init__(
        self,
        key_store: KeyStore,
        *,
        issuer: str,
        audience: str,
        lifetime_s: float,
        rotate_after_s: float,
        clock: Clock | None = None,
    ) -> None:
        self._store = key_store
        self._issuer = issuer
        self._audience = audience
        self._lifetime_s = lifetime_s
        self._rotate_after_s = rotate_after_s
        self._clock = clock or SystemClock()
        self._keys: dict[str, SigningKey] = {}
        self._loaded_at = float("-inf")
        self._lock = asyncio.Lock()

    async def issue(self, subject: str, roles: Sequence[str] | frozenset[str], **claims: Any) -> str:
        """Return a token for `subject` with `roles`; `claims` are added unchanged."""
        key = await self._signing_key()
        now = self._clock.now()
        payload = {
            **claims,
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "roles": sorted(roles),
            "iat": int(now),
            "exp": int(now + self._lifetime_s),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(payload, key.secret, _ALGORITHM, headers={"kid": key.kid})

    async def verify(self, token: str) -> Identity:
        """Return the identity in a token. Raises InvalidToken or ExpiredToken (both UNAUTHENTICATED)."""
        claims = await self.claims(token)
        return Identity(claims["sub"], frozenset(claims["roles"]))

    async def claims(self, token: str) -> dict[str, Any]:
        """Return all claims of a valid token, those added by `issue` included. Raises like `verify`."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._key(str(kid))
            claims: dict[str, Any] = jwt.decode(
                token,
                key.secret,
                [_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                # The injected clock checks the time below.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "roles"]},
            )
        except jwt.PyJWTError:
            raise InvalidToken("the token is invalid here; log in again") from None
        if self._clock.now() >= claims["exp"]:
            raise ExpiredToken("the token has expired; log in again")
        return claims

    async def derived_secrets(self, purpose: str) -> list[bytes]:
        """Return a secret for `purpose` from each key in use, that of the signing key first.

        They authenticate short-lived values other than tokens, and rotate with the keys.
        """
        newest = await self._signing_key()
        others = [key for key in self._keys.values() if key.kid != newest.kid]
        return [hmac.digest(key.secret, purpose.encode(), "sha256") for key in (newest, *others)]

    async def _signing_key(self) -> SigningKey:
        async with self._lock:
            newest = self._newest()
            if newest is None or self._is_old(newest):
                await self._reload()
                newest = self._newest()
            if newest is None or self._is_old(newest):
                newest = SigningKey(secrets.token_hex(8), secrets.token_bytes(_KEY_BYTES), self._clock.now())
                await _call(self._store.save, newest)
                self._keys[newest.kid] = newest
            return newest

    async def _key(self, kid: str) -> SigningKey:
        if kid not in self._keys:
            async with self._lock:
                # Another process may have added a key. Limit reloads, because a caller can send any kid.
                if kid not in self._keys and self._clock.now() >= self._loaded_at + _RELOAD_PAUSE_S:
                    await self._reload()
        key = self._keys.get(kid)
        if key is None or self._clock.now() >= key.created_at + self._rotate_after_s + self._lifetime_s:
            raise InvalidToken("the token is signed with an unknown key; log in again")
        return key

    def _newest(self) -> SigningKey | None:
        return max(self._keys.values(), key=lambda key: key.created_at, default=None)

    def _is_old(self, key: SigningKey) -> bool:
        return self._clock.now() >= key.created_at + self._rotate_after_s

    async def _reload(self) -> None:
        self._keys = {key.kid: key for key in await _call(self._store.load)}
        self._loaded_at = self._clock.now()


async def _call(function: Any, *arguments: Any) -> Any:
    if asyncio.iscoroutinefunction(function):
        return await function(*arguments)
    return await asyncio.to_thread(function, *arguments)
