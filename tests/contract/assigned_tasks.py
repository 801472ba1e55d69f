"""Shared parts of the worker stream tests: a pool for three wallets, and a worker that holds tasks."""

from collections import deque
from typing import Any

from contract.pool import Pool
from contract.worker_stream import WorkerStream
from workerpool_devnet.devnet import Devnet
from workerpool_protocol.core.v1 import task_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R

VERSION = "contract-1"
UNKNOWN = "0x" + "ab" * 32
"""Id of a task that does not exist."""
FAR_FUTURE = 2**63 - 1
"""A block number that the chain never reaches."""
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
    """Admit three wallets, spelled in both cases, and one worker version."""
    first, second, third = (wallet.address[2:] for wallet in net.worker_wallets)
    return {
        "IEXEC_CORE_REQUIRED_WORKER_VERSION": VERSION,
        "IEXEC_WORKERS_WHITELIST": f"0x{first.lower()},0x{second.upper()},0x{third}",
    }


class AssignedTasks:
    """Tasks assigned to the worker `ours`, unused by any test so far; the worker `other` holds none."""

    def __init__(self, pool: Pool, tasks: list[str]) -> None:
        self.pool = pool
        self.ours, self.other, _ = pool.net.worker_wallets
        self._fresh = deque(tasks)
        self.shared = self.task()
        """A task that stays CREATED: tests may only send what is refused."""

    def task(self) -> str:
        """Take a task that the worker `ours` holds and has not reported on."""
        return self._fresh.popleft()

    async def replicate(self, task: str) -> task_pb2.Replicate:
        """Read the replicate of the worker `ours`."""
        (found,) = (await self.pool.task(task)).replicates
        assert found.wallet_address == self.ours.address
        return found

    async def history(self, task: str) -> list[int]:
        """Read the statuses of the replicate of the worker `ours`."""
        return [change.status for change in (await self.replicate(task)).history]


def update(task: str, status: int = R.REPLICATE_STATUS_STARTING, sequence: int = 1, **details: Any) -> Any:
    """Return a status update."""
    return {"sequence": sequence, "task_id": task, "status": status, "details": details}


def report(*updates: Any) -> dict[str, Any]:
    """Return a message with status updates."""
    return {"status_report": {"updates": updates}}


async def refused_update(stream: WorkerStream, task: str, status: int, reason: str, **details: Any) -> None:
    """Report a status and check that it is refused with this reason."""
    result = await stream.answer(task, status, **details)
    assert (result.outcome, result.reason) == (pb.UPDATE_OUTCOME_REFUSED, reason)
