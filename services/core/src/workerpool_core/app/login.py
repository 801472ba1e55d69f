"""Workers prove that they hold their wallet: a challenge to sign, single use, 60 s, bound to chain and pool."""

import secrets
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from workerpool_kit.clock import Clock
from workerpool_kit.tokens import Tokens
from workerpool_poco.errors import InvalidSignature
from workerpool_poco.ids import Address, address, from_hex
from workerpool_poco.typed_data import LoginChallenge, recover_challenge_signer

from workerpool_core.errors import BadChallenge, BadSignature, NotWhitelisted

CHALLENGE_LIFETIME_S = 60.0
_MOST_CHALLENGES = 100_000
"""Open challenges kept; past it the oldest is forgotten, so that asking costs a stranger nothing of ours."""

WORKER_ROLE = "worker"


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A challenge and when it ends, in Unix seconds."""

    challenge: LoginChallenge
    expires_at: float


class Login:
    """Gives out challenges, and tokens for signed ones."""

    def __init__(
        self, tokens: Tokens, clock: Clock, *, chain_id: int, pool: Address, whitelist: Collection[Address]
    ) -> None:
        """Prepare; an empty `whitelist` admits every wallet."""
        self._tokens = tokens
        self._clock = clock
        self._chain_id = chain_id
        self._pool = pool
        self._whitelist = frozenset(map(address, whitelist))
        self._open: OrderedDict[Address, OpenChallenge] = OrderedDict()

    def challenge(self, wallet: str) -> OpenChallenge:
        """Return what the wallet signs; the same one while it is open. Raises NotWhitelisted."""
        wallet = address(wallet)
        self.admit(wallet)
        now = self._clock.now()
        known = self._open.get(wallet)
        # Handing out the open one again keeps a stranger from cancelling a login that is under way.
        if known is not None and now < known.expires_at:
            return known
        challenge = LoginChallenge(wallet, secrets.token_urlsafe(32), int(now), self._chain_id, self._pool)
        self._open.pop(wallet, None)
        self._open[wallet] = OpenChallenge(challenge, now + CHALLENGE_LIFETIME_S)
        while len(self._open) > _MOST_CHALLENGES:
            self._open.popitem(last=False)
        return self._open[wallet]

    async def login(self, wallet: str, signature: str) -> str:
        """Trade a signed challenge for a bearer token; the challenge is used up.

        Raises NotWhitelisted, BadChallenge or BadSignature. A wrong signature leaves the challenge open: it proves
        nothing about the wallet's holder.
        """
        wallet = address(wallet)
        self.admit(wallet)
        known = self._open.get(wallet)
        if known is None or self._clock.now() >= known.expires_at:
            self._open.pop(wallet, None)
            raise BadChallenge("no open challenge for this wallet; ask for one and sign it within 60 s")
        try:
            signer = recover_challenge_signer(known.challenge, from_hex(signature))
        except InvalidSignature as error:
            raise BadSignature(str(error)) from error
        if signer != wallet:
            raise BadSignature("the challenge was signed by another wallet, or another challenge was signed")
        del self._open[wallet]
        return await self._tokens.issue(wallet, frozenset({WORKER_ROLE}))

    def admit(self, wallet: Address) -> None:
        """Raise NotWhitelisted unless the pool takes this wallet; a token may be older than the whitelist."""
        if self._whitelist and wallet not in self._whitelist:
            raise NotWhitelisted("this wallet is not on the pool's whitelist (IEXEC_WORKERS_WHITELIST)")
