"""Challenges that bind a worker's signature to this proxy."""

from dataclasses import dataclass

from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_result_proxy.domain.challenges import CHALLENGE_LIFETIME_S, check_nonce, make_nonce
from workerpool_result_proxy.errors import WrongAudience

_PURPOSE = "upload challenge"


@dataclass(frozen=True)
class Challenge:
    """The challenge that a worker signs with its authorization; `expires_at` in Unix seconds."""

    audience: str
    nonce: bytes
    expires_at: int


class Challenges:
    """The creation and check of challenges; nothing is stored, so a flood of requests costs no memory."""

    def __init__(self, tokens: Tokens, clock: Clock, *, audience: str) -> None:
        """Create it; `audience` is this proxy's public base URL (`audience_of`)."""
        self._tokens = tokens
        self._clock = clock
        self._audience = audience

    async def create(self, worker: Address, task_id: TaskId) -> Challenge:
        """Return a challenge for one worker and task."""
        secret = (await self._tokens.derived_secrets(_PURPOSE))[0]
        expires_at = int(self._clock.now()) + CHALLENGE_LIFETIME_S
        return Challenge(
            self._audience, make_nonce(secret, worker, task_id, expires_at=expires_at), expires_at
        )

    async def check(self, worker: Address, task_id: TaskId, audience: str, nonce: bytes) -> None:
        """Raise `WrongAudience` or `ChallengeInvalid` unless the challenge is of this proxy and valid."""
        if audience != self._audience:
            raise WrongAudience(f"this proxy is {self._audience}; sign with the audience of its challenge")
        secrets = await self._tokens.derived_secrets(_PURPOSE)
        check_nonce(secrets, nonce, worker, task_id, now=self._clock.now())
