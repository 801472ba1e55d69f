"""The login of requesters with the challenge that the published tools sign (EIP-712)."""

from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, recover_challenge_signer
from workerpool_poco.protocol.ids import Address, to_hex

from workerpool_result_proxy.domain.challenges import login_expiry, login_texts, make_login_text
from workerpool_result_proxy.errors import ChainNotServed, ChallengeInvalid, LoginNotSigned

REQUESTER_ROLE = "requester"
"""The role of a requester's token, which allows no uploads: a worker uploads with its own token."""
DOMAIN_NAME = "iExec Result Repository"
_PURPOSE = "login challenge"

log = get_logger()


class Login:
    """Login challenges, and tokens for signed ones; nothing is stored, so any proxy of the database can answer."""

    def __init__(self, tokens: Tokens, clock: Clock, *, chain_id: int) -> None:
        self._tokens = tokens
        self._clock = clock
        self._chain_id = chain_id

    def check_chain(self, chain_id: str) -> None:
        """Raise `ChainNotServed` when a caller names another chain than that of this proxy; empty is accepted."""
        if chain_id and chain_id != str(self._chain_id):
            raise ChainNotServed(
                f"this proxy serves chain {self._chain_id}, not {chain_id[:80]!r}; correct chainId, or use the "
                "result proxy of that chain"
            )

    async def challenge(self, requester: Address) -> LogChallenge:
        """Return the challenge that a requester signs, valid for about an hour."""
        secret = (await self._tokens.derived_secrets(_PURPOSE))[0]
        return self._challenge(make_login_text(secret, requester, expires_at=login_expiry(self._clock.now())))

    async def token(self, requester: Address, claimed_hash: bytes, signature: bytes) -> str:
        """Return a token for a signed challenge. Raises `ChallengeInvalid` or `LoginNotSigned`."""
        secrets = await self._tokens.derived_secrets(_PURPOSE)
        valid = map(self._challenge, login_texts(secrets, requester, now=self._clock.now()))
        signed = next((each for each in valid if each.hash == claimed_hash), None)
        if signed is None:
            raise ChallengeInvalid(
                f"{to_hex(claimed_hash)} is not the hash of a login challenge of this address, or it has expired; "
                "request a new challenge and sign it"
            )
        try:
            signer = recover_challenge_signer(signed, signature)
        except (InvalidSignature, ValueError):
            signer = None
        if signer != requester:
            raise LoginNotSigned(
                f"{requester} did not sign this login challenge; sign it with the wallet of that address"
            )
        log.info("requester.logged_in", requester=requester)
        return await self._tokens.issue(requester, frozenset({REQUESTER_ROLE}))

    def _challenge(self, text: str) -> LogChallenge:
        return LogChallenge(text, self._chain_id, DOMAIN_NAME)
