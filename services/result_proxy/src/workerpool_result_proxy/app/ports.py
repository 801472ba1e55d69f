"""What the use cases need from outside; the adapters are in `chain.py`, `store.py` and `archives.py`."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal

from workerpool_result_proxy.domain.results import StoredResult


class ChainView(Protocol):
    """Reads the hub contract. What the contract does not know reads as zeros.

    Every method raises `ChainUnreachable` when the node does not answer.
    """

    async def task(self, task_id: bytes) -> ChainTask:
        """Return ``viewTask``."""

    async def deal(self, deal_id: bytes) -> Deal:
        """Return ``viewDeal``."""

    async def contribution(self, task_id: bytes, worker: Address) -> Contribution:
        """Return ``viewContribution``."""


class Store(Protocol):
    """Remembers authorizations and results; what it has acknowledged survives the loss of the process."""

    async def keep_authorization(self, authorization: WorkerpoolAuthorization) -> None:
        """Remember a checked authorization; the first one of a task and worker stays."""

    async def is_authorized(self, task_id: bytes, worker: Address) -> bool:
        """Tell whether an authorization of this worker for this task is known."""

    async def find_result(self, task_id: bytes) -> StoredResult | None:
        """Return the task's result."""

    async def announce(self, file_id: str) -> None:
        """Remember that the bytes of `file_id` are about to be written, so that a crash leaves no orphans."""

    async def commit(self, result: StoredResult) -> bool:
        """Make the result the task's one and only; False when the task has one already."""

    async def retract(self, file_id: str) -> None:
        """Forget an announced file, whose bytes are gone."""

    async def announced(self) -> list[str]:
        """Return files that were announced and neither committed nor retracted."""


class Archives(Protocol):
    """Keeps the bytes of archives."""

    def new_id(self) -> str:
        """Return a name that no file has."""

    async def put(self, file_id: str, path: Path) -> None:
        """Store a file; returns when it is safe on disk."""

    def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from byte `first` on, in pieces of at most 1 MiB."""

    async def delete(self, file_id: str) -> None:
        """Remove whatever is there of a file."""
