"""Assignments: the pool owner's signed authorization with everything that a worker needs for a replicate."""

from collections.abc import Mapping
from functools import lru_cache

from workerpool_poco.protocol.authorization import MessageSigner, WorkerpoolAuthorization, sign_authorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId

from workerpool_core.app.workers.messages import Assigned
from workerpool_core.domain.model import Task

_CACHED_SIGNATURES = 8_192
"""Most cached signatures, for assignments about to be sent and for workers that reconnect with their replicates."""


class Assignments:
    """The builder of assignments; it signs with the wallet that owns the pool on chain (about 0.1 ms each)."""

    def __init__(self, wallet: MessageSigner, tasks: Mapping[TaskId, Task]) -> None:
        self._wallet = wallet
        self._tasks = tasks
        self._sign = lru_cache(maxsize=_CACHED_SIGNATURES)(self._signed)

    def of(self, worker: str, task_id: TaskId) -> Assigned | None:
        """Return the assignment of a live task to a worker; None when the task is no longer live."""
        task = self._tasks.get(task_id)
        if task is None:
            return None
        authorization = self._sign(
            worker, task_id, task.terms.deal_id, task.index, task.enclave_challenge or ZERO_ADDRESS
        )
        return Assigned(authorization, task.terms, task.index, task.initialization_block, task.sms_url)

    def prepare(self, worker: str, task_id: TaskId) -> None:
        """Sign the assignment that `of` will return, ahead of time."""
        self.of(worker, task_id)

    def _signed(
        self, worker: str, task_id: TaskId, deal_id: DealId, index: int, enclave_challenge: str
    ) -> WorkerpoolAuthorization:
        return sign_authorization(
            self._wallet,
            worker=Address(worker),
            task_id=task_id,
            deal_id=deal_id,
            task_index=index,
            enclave_challenge=Address(enclave_challenge),
        )
