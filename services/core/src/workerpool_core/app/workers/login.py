"""Login of workers by a signed challenge: single use, valid for 60 s, bound to chain and pool."""

import secrets
from collections.abc import Callable, Collection

from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import Clock
from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, recover_challenge_signer
from workerpool_poco.protocol.ids import Address, address, from_hex

from workerpool_core.app.workers.challenges import Open, OpenChallenges
from workerpool_core.errors import BadChallenge, BadSignature, NotWhitelisted

CHALLENGE_LIFETIME_S = 60.0
WORKER_ROLE = "worker"


class Login:
    """Login challenges, and bearer tokens for signed ones."""

    def __init__(
        self,
        tokens: Tokens,
        clock: Clock,
        *,
        chain_id: int,
        pool: Address,
        whitelist: Collection[Address],
        holds_work: Callable[[Address], bool] = lambda _wallet: False,
    ) -> None:
        """Create a login for one pool. An empty `whitelist` admits every wallet.

        A wallet that was removed from it is admitted while `holds_work` returns that it has unfinished replicates.
        """
        self._tokens = tokens
        self._clock = clock
        self._chain_id = chain_id
        self._pool = pool
        self._whitelist: frozenset[Address] = frozenset()
        self._holds_work = holds_work
        self.change_whitelist(whitelist)
        self._open: OpenChallenges[LoginChallenge] = OpenChallenges(clock, lifetime_s=CHALLENGE_LIFETIME_S)

    def change_whitelist(self, whitelist: Collection[Address]) -> None:
        """Replace the whitelist."""
        self._whitelist = frozenset(map(address, whitelist))

    def challenge(self, wallet: str) -> Open[LoginChallenge]:
        """Return the challenge that a wallet signs, the same one while it is open. Raises NotWhitelisted."""
        wallet = address(wallet)
        self.admit(wallet)
        return self._open.issue(wallet, lambda: self._make(wallet))

    def _make(self, wallet: Address) -> LoginChallenge:
        issued_at = int(self._clock.now())
        return LoginChallenge(wallet, secrets.token_urlsafe(32), issued_at, self._chain_id, self._pool)

    async def login(self, wallet: str, signature: str) -> str:
        """Return a bearer token for a signed challenge, and consume the challenge.

        Raises NotWhitelisted, BadChallenge or BadSignature. A wrong signature does not consume the challenge, because
        any caller may send one.
        """
        wallet = address(wallet)
        self.admit(wallet)
        known = self._open.of(wallet)
        if known is None:
            raise BadChallenge("this wallet has no open challenge; request one and sign it within 60 s")
        try:
            signer = recover_challenge_signer(known.challenge, from_hex(signature))
        except InvalidSignature as error:
            raise BadSignature(str(error)) from error
        if signer != wallet:
            raise BadSignature(
                "the signature is of another wallet or challenge; sign the open challenge with this wallet"
            )
        self._open.consume(wallet)
        return await self._tokens.issue(wallet, frozenset({WORKER_ROLE}))

    def admit(self, wallet: Address) -> None:
        """Raise NotWhitelisted unless the pool admits this wallet; a token may be older than the whitelist."""
        if self._whitelist and wallet not in self._whitelist and not self._holds_work(wallet):
            raise NotWhitelisted(
                "this wallet is not on the pool's whitelist (IEXEC_WORKERS_WHITELIST); ask the operator"
            )
