"""What the tests of the worker's stream share: a pool for three wallets, and a worker with tasks in hand."""

from collections import deque
from typing import Any

from workerpool_devnet.devnet import Devnet
from workerpool_protocol.core.v1 import task_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R

VERSION = "contract-1"
UNKNOWN = "0x" + "ab" * 32
"""The id of a task that nobody ever bought."""
FAR_FUTURE = 2**63 - 1
"""The number of a block that never comes."""
TO_COMPUTING = (
    R.REPLICATE_STATUS_STARTING,
    R.REPLICATE_STATUS_STARTED,
    R.REPLICATE_STATUS_APP_DOWNLOADING,
    R.REPLICATE_STATUS_APP_DOWNLOADED,
    R.REPLICATE_STATUS_DATA_DOWNLOADING,
    R.REPLICATE_STATUS_DATA_DOWNLOADED,
    R.REPLICATE_STATUS_COMPUTING,
)
TO_CONTRIBUTING = (*TO_COMPUTING, R.REPLICATE_STATUS_COMPUTED, R.REPLICATE_STATUS_CONTRIBUTING)


def core_environment(net: Devnet) -> dict[str, str]:
    """A pool for three wallets, written in both cases, and for one version."""
    first, second, third = (wallet.address[2:] for wallet in net.worker_wallets)
    return {
        "IEXEC_CORE_REQUIRED_WORKER_VERSION": VERSION,
        "IEXEC_WORKERS_WHITELIST": f"0x{first.lower()},0x{second.upper()},0x{third}",
    }


class Bench:
    """The worker that holds tasks, another one that holds none, and the tasks that no test has used yet."""

    def __init__(self, pool: Any, tasks: list[str]) -> None:
        self.pool = pool
        self.ours, self.other, _ = pool.net.worker_wallets
        self._fresh = deque(tasks)

    def task(self) -> str:
        """Take a task that our worker holds and has not said anything about."""
        return self._fresh.popleft()

    async def replicate(self, task: str) -> task_pb2.Replicate:
        """Read our worker's replicate back."""
        (found,) = (await self.pool.task(task)).replicates
        assert found.wallet_address == self.ours.address
        return found

    async def history(self, task: str) -> list[int]:
        """Read the statuses of our worker's replicate back."""
        return [change.status for change in (await self.replicate(task)).history]


def update(task: str, status: int = R.REPLICATE_STATUS_STARTING, sequence: int = 1, **details: Any) -> Any:
    return {"sequence": sequence, "task_id": task, "status": status, "details": details}


def report(*updates: Any) -> dict[str, Any]:
    return {"status_report": {"updates": updates}}


async def refused_update(stream: Any, task: str, status: int, reason: str, **details: Any) -> None:
    result = await stream.answer(task, status, **details)
    assert (result.outcome, result.reason) == (pb.UPDATE_OUTCOME_REFUSED, reason)
