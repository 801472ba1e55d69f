"""How a stranger answers assignments and commands."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from workerpool_devnet.chain.transactions import send
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.errors import ChainError, TransactionError
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId, from_hex, to_hex
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_protocol.core.v1 import statuses_pb2 as s
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

UNTIL_COMPUTED = (
    s.REPLICATE_STATUS_STARTING,
    s.REPLICATE_STATUS_STARTED,
    s.REPLICATE_STATUS_APP_DOWNLOADING,
    s.REPLICATE_STATUS_APP_DOWNLOADED,
    s.REPLICATE_STATUS_DATA_DOWNLOADING,
    s.REPLICATE_STATUS_DATA_DOWNLOADED,
    s.REPLICATE_STATUS_COMPUTING,
    s.REPLICATE_STATUS_COMPUTED,
)


class Reports:
    """Writes status reports to a stream, one at a time."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._sequence = secrets.randbelow(1 << 40)
        self._writing = asyncio.Lock()

    async def say(self, message: pb.ConnectRequest) -> None:
        """Send one message; raises ConnectionError once the stream has ended."""
        async with self._writing:
            try:
                await self._stream.write(message)
            except asyncio.InvalidStateError as error:
                raise ConnectionError("the stream ended") from error

    async def report(self, task_id: str, *statuses: int, cause: int = 0, transaction: str = "") -> None:
        """Report statuses without waiting for the answers."""
        for status in statuses:
            self._sequence += 1
            details = pb.StatusDetails(cause=cause)  # type: ignore[arg-type]
            if transaction:
                details.chain_receipt.transaction_hash = transaction
            update = pb.StatusUpdate(
                sequence=self._sequence,
                task_id=task_id,
                status=status,  # type: ignore[arg-type]
                details=details,
            )
            await self.say(pb.ConnectRequest(status_report=pb.StatusReport(updates=[update])))


class Manner:
    """Says nothing about assignments, and acknowledges commands without obeying them."""

    def __init__(self, net: Devnet, wallet: Wallet, reports: Reports) -> None:
        self.net = net
        self.wallet = wallet
        self.reports = reports

    async def take(self, assignment: pb.Assignment) -> None:
        """Receive an assignment."""

    async def obey(self, command: pb.Command) -> None:
        """Acknowledge a command."""
        await self.reports.say(pb.ConnectRequest(command_ack=pb.CommandAck(sequence=command.sequence)))


class ClaimsComputed(Manner):
    """Reports every stage at once and never contributes."""

    async def take(self, assignment: pb.Assignment) -> None:
        await self.reports.report(assignment.task.task_id, *UNTIL_COMPUTED)


class ClaimsContributed(Manner):
    """Reports a contribution whose transaction does not exist."""

    async def take(self, assignment: pb.Assignment) -> None:
        task_id = assignment.task.task_id
        await self.reports.report(task_id, *UNTIL_COMPUTED, s.REPLICATE_STATUS_CONTRIBUTING)
        invented = to_hex(secrets.token_bytes(32))
        await self.reports.report(task_id, s.REPLICATE_STATUS_CONTRIBUTED, transaction=invented)


class Fails(Manner):
    """Fails the start of every assignment for a reason of its own."""

    async def take(self, assignment: pb.Assignment) -> None:
        task_id = assignment.task.task_id
        await self.reports.report(task_id, s.REPLICATE_STATUS_STARTING)
        cause = s.REPLICATE_STATUS_CAUSE_UNKNOWN
        await self.reports.report(task_id, s.REPLICATE_STATUS_START_FAILED, cause=cause)


class WrongDigest(Manner):
    """Contributes a wrong digest where others must agree; stays silent where its word would decide alone.

    At trust 1 the protocol believes any contribution, so no pool can tell such a worker from an honest one.
    """

    async def take(self, assignment: pb.Assignment) -> None:
        task = TaskId(assignment.task.task_id)
        if assignment.task.trust < 3:
            return
        await self.reports.report(task, *UNTIL_COMPUTED, s.REPLICATE_STATUS_CONTRIBUTING)
        digest = secrets.token_bytes(32)
        call = calls.contribute(
            task,
            result_hash(task, digest),
            result_seal(self.wallet.address, task, digest),
            from_hex(assignment.authorization.signature),
            enclave_challenge=assignment.authorization.enclave_challenge,
        )
        net = self.net
        try:
            mined = await asyncio.to_thread(
                send, net.chain.rpc, self.wallet, net.contracts.hub, call.data, gas=1_000_000
            )
        except (ChainError, TransactionError):
            return  # consensus was reached without it, or the node is away
        await self.reports.report(task, s.REPLICATE_STATUS_CONTRIBUTED, transaction=mined["transactionHash"])


MANNERS: dict[str, Callable[[Devnet, Wallet, Reports], Manner]] = {
    "silent": Manner,
    "claims-computed": ClaimsComputed,
    "claims-contributed": ClaimsContributed,
    "fails": Fails,
    "wrong-digest": WrongDigest,
}
