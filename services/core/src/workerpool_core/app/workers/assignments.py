"""Assignments: the pool owner's signed permission with everything that a worker needs to run a replicate."""

from collections.abc import Mapping
from functools import lru_cache

from workerpool_poco.protocol.authorization import MessageSigner, WorkerpoolAuthorization, sign_authorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId

from workerpool_core.app.workers.messages import Assigned
from workerpool_core.domain.model import Task

_MOST_SIGNED = 8_192
"""Signatures that are remembered: until they are sent, and for workers that come back to what they hold."""


class Assignments:
    """Signs with the scheduler's wallet, which owns the pool on chain (about 0.1 ms each)."""

    def __init__(self, wallet: MessageSigner, tasks: Mapping[TaskId, Task]) -> None:
        self._wallet = wallet
        self._tasks = tasks
        self._sign = lru_cache(maxsize=_MOST_SIGNED)(self._signed)

    def of(self, worker: str, task_id: TaskId) -> Assigned | None:
        """Return a worker's assignment of a live task; None when the task is gone meanwhile."""
        task = self._tasks.get(task_id)
        if task is None:
            return None
        authorization = self._sign(
            worker, task_id, task.terms.deal_id, task.index, task.enclave_challenge or ZERO_ADDRESS
        )
        return Assigned(authorization, task.terms, task.index, task.initialization_block, task.sms_url)

    def prepare(self, worker: str, task_id: TaskId) -> None:
        """Sign ahead of time what `of` will be asked for."""
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
