"""Challenges that bind a worker's signature to this SMS."""

from dataclasses import dataclass

from workerpool_kit.access.nonces import NonceRefused, check_nonce, make_nonce
from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address, TaskId, address_bytes, bytes32

from workerpool_sms.app.ports import Vault
from workerpool_sms.errors import ChallengeInvalid, WrongAudience

CHALLENGE_LIFETIME_S = 60
"""Seconds for which a nonce is accepted."""
_PURPOSE = "session challenge"


@dataclass(frozen=True, slots=True)
class SessionChallenge:
    """The challenge that a worker signs with its authorization; `expires_at` in Unix seconds."""

    audience: str
    nonce: bytes
    expires_at: int


class SessionChallenges:
    """The creation and check of challenges; nothing is stored, so a flood of requests costs no memory."""

    def __init__(self, vault: Vault, clock: Clock, *, audience: str) -> None:
        """Create it; `audience` is this SMS's public base URL (`audience_of`)."""
        self._vault = vault
        self._clock = clock
        self._audience = audience

    def create(self, worker: Address, task_id: TaskId) -> SessionChallenge:
        """Return a challenge for one worker and task."""
        expires_at = int(self._clock.now()) + CHALLENGE_LIFETIME_S
        secret = self._vault.derived_secrets(_PURPOSE)[0]
        nonce = make_nonce(secret, _subject(worker, task_id), expires_at=expires_at)
        return SessionChallenge(self._audience, nonce, expires_at)

    def check(self, worker: Address, task_id: TaskId, audience: str, nonce: bytes) -> None:
        """Raise WrongAudience or ChallengeInvalid unless the challenge is of this SMS and valid."""
        if audience != self._audience:
            raise WrongAudience(f"this SMS is {self._audience}; sign with the audience of its challenge")
        try:
            secrets = self._vault.derived_secrets(_PURPOSE)
            check_nonce(secrets, nonce, _subject(worker, task_id), now=self._clock.now())
        except NonceRefused as refused:
            raise ChallengeInvalid(f"{refused}; request a new challenge") from None


def _subject(worker: Address, task_id: TaskId) -> bytes:
    return address_bytes(worker) + bytes32(task_id)
