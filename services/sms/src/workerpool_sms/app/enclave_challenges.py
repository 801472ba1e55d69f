"""Enclave challenges: created once per task, removed after its final deadline."""

from collections.abc import Callable

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import ChainView, ChallengeStore, Metrics, Vault
from workerpool_sms.domain.challenges import (
    KEPT_WITHOUT_DEADLINE_S,
    PURGE_BATCH,
    EnclaveChallenge,
    check_owner_signature,
    check_task,
    key_purpose,
)
from workerpool_sms.domain.frameworks import Framework

log = get_logger()

NewKey = Callable[[], tuple[bytes, Address]]
"""Returns a fresh private key (32 bytes) and its address."""


class EnclaveChallenges:
    """The key pairs of tasks; a private key leaves the SMS only in a session."""

    def __init__(
        self,
        store: ChallengeStore,
        vault: Vault,
        chain: ChainView,
        gate: Gate,
        metrics: Metrics,
        clock: Clock,
        *,
        framework: Framework,
        new_key: NewKey,
    ) -> None:
        self._store = store
        self._vault = vault
        self._chain = chain
        self._gate = gate
        self._metrics = metrics
        self._clock = clock
        self._framework = framework
        self._new_key = new_key

    async def create(self, task_id: TaskId, signature: bytes) -> Address:
        """Return the challenge of a task, created by the first request. The pool owner signs `keccak256(taskid)`.

        Raises the refusal of the first violated rule (`check_task`, `check_owner_signature`).
        """
        with self._gate.use():
            task = await self._chain.task(task_id)
            deal = await self._chain.deal(task.deal_id)
            check_task(task, deal, self._framework, now=self._clock.now())
            check_owner_signature(task_id, deal, signature)
            stored = await self._store.find(task_id) or await self._make(task_id, task.final_deadline)
            return stored.address

    async def private_key(self, task_id: TaskId, challenge: Address) -> bytes | None:
        """Return the private key (32 bytes) of a task's challenge; None when this SMS made no such challenge."""
        stored = await self._store.find(task_id)
        if stored is None or stored.address != challenge:
            return None
        return self._vault.open(stored.private_key, key_purpose(task_id))

    async def purge(self) -> int:
        """Remove the challenges of tasks whose final deadline has passed; return their number."""
        removed, batch = 0, PURGE_BATCH
        while batch == PURGE_BATCH:
            now = self._clock.now()
            oldest = now - KEPT_WITHOUT_DEADLINE_S
            with self._gate.use():
                batch = await self._store.purge(now=now, without_deadline_before=oldest, limit=PURGE_BATCH)
            removed += batch
        if removed:
            log.info("challenges.purged", count=removed)
        return removed

    async def _make(self, task_id: TaskId, final_deadline: int) -> EnclaveChallenge:
        private_key, made_address = self._new_key()
        sealed = self._vault.seal(private_key, key_purpose(task_id))
        made = EnclaveChallenge(task_id, made_address, sealed, self._clock.now(), final_deadline)
        stored = await self._store.add(made)
        if stored.address == made_address:
            self._metrics.added("tee_challenges")
            self._metrics.added("ethereum_credentials")
            log.info("audit.challenge_created", task=task_id, challenge=made_address)
        return stored
