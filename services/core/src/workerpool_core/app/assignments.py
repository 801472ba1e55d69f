"""Assignments: the pool owner's signed permission with everything that a worker needs to run a replicate."""

from collections.abc import Mapping

from workerpool_poco.authorization import sign_authorization
from workerpool_poco.ids import ZERO_ADDRESS, bytes32
from workerpool_poco.wallet import Wallet

from workerpool_core.app.messages import Assigned
from workerpool_core.domain.model import Task


class Assignments:
    """Signs with the scheduler's wallet, which owns the pool on chain (about 0.1 ms each)."""

    def __init__(self, wallet: Wallet, tasks: Mapping[str, Task]) -> None:
        self._wallet = wallet
        self._tasks = tasks

    def of(self, worker: str, task_id: str) -> Assigned | None:
        """Return a worker's assignment of a live task; None when the task is gone meanwhile."""
        task = self._tasks.get(task_id)
        if task is None:
            return None
        authorization = sign_authorization(
            self._wallet,
            worker=worker,
            task_id=bytes32(task_id),
            deal_id=bytes32(task.terms.deal_id),
            task_index=task.index,
            enclave_challenge=task.enclave_challenge or ZERO_ADDRESS,
        )
        return Assigned(authorization, task.terms, task.index, task.initialization_block, task.sms_url)
