"""Signed tokens (JWT, HS256) that survive a restart: the keys live in the service's own database and rotate."""

import asyncio
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
    """One key: `kid` names it in a token's header, `created_at` is in Unix seconds."""

    kid: str
    secret: bytes = field(repr=False)
    created_at: float


class KeyStore(Protocol):
    """Where the keys are kept. Both may be plain or ``async`` functions; plain ones are run in a thread."""

    def load(self) -> Any:
        """Return all stored keys (a list of SigningKey), in any order."""

    def save(self, key: SigningKey) -> Any:
        """Store one more key."""


class InvalidToken(Unauthenticated):
    """The token is malformed, signed by nobody we know, or meant for someone else."""

    reason = "TOKEN_INVALID"


class ExpiredToken(Unauthenticated):
    """The token was good once; log in again."""

    reason = "TOKEN_EXPIRED"


class Tokens:
    """Issues and verifies tokens. Several processes may share one key store.

    A token lives `lifetime_s` seconds. A new key signs after `rotate_after_s` seconds; the old ones verify
    until the last token they can have signed has expired.
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
        """Return a token for `subject` with `roles`; `claims` are added as they are."""
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
        """Return who the token was issued to. Raises InvalidToken or ExpiredToken (both UNAUTHENTICATED)."""
        claims = await self.claims(token)
        return Identity(claims["sub"], frozenset(claims["roles"]))

    async def claims(self, token: str) -> dict[str, Any]:
        """Return all claims of a good token, those added by the issuer included. Raises like `verify`."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._key(str(kid))
            claims: dict[str, Any] = jwt.decode(
                token,
                key.secret,
                [_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                # Time is judged below, by the injected clock.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "roles"]},
            )
        except jwt.PyJWTError:
            raise InvalidToken("the token is not valid here; log in again") from None
        if self._clock.now() >= claims["exp"]:
            raise ExpiredToken("the token has expired; log in again")
        return claims

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
                # Another process may have signed with a key of its own; asked rarely, and once for all who waited here
                # meanwhile, since anyone can invent a kid.
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
