"""Client of the chain adapter: requests the pool owner's transactions and follows them to their final state.

Requests are idempotent in the adapter, so a repeated request is harmless. One `WatchCommand` stream per open command
delivers its final state, without polling. Commands above the limit of streams wait in a queue; the adapter has usually
completed them before a stream is free, because it works in the order of the requests.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from workerpool_kit.grpc.client import error_reason
from workerpool_kit.logs import get_logger
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import TransactionServiceStub

from workerpool_core.adapters.grpc.requests_in_flight import RequestsInFlight
from workerpool_core.domain.decisions import RequestTransaction
from workerpool_core.domain.events import TransactionAnswered, TransactionKind

log = get_logger()

_CALL_TIMEOUT_S = 10.0
_CONCURRENT_CALLS = {
    TransactionKind.FINALIZE: 16,
    TransactionKind.REOPEN: 4,
    TransactionKind.INITIALIZE: 36,
    TransactionKind.CLAIM: 8,
}
"""Most concurrent calls of each kind.

Further calls wait here, not in the channel, so that they delay no other kind: hundreds of claims of one bag once
delayed each finalization by six seconds.
"""
_FAILURE_PAUSE_S = 1.0
"""Seconds that a failed call occupies its slot, because a bag of thousands of tasks would flood a failing adapter."""
_WATCHED_COMMANDS = {
    TransactionKind.FINALIZE: 40,
    TransactionKind.REOPEN: 8,
    TransactionKind.INITIALIZE: 64,
    TransactionKind.CLAIM: 16,
}
"""Most concurrent streams of each kind. A server admits 200 calls per connection, because each costs it memory."""
_WATCH_TIMEOUT_S = 600.0
_TRANSIENT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    # Wrong credentials or a missing role: retry until the operator corrects the configuration.
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
)
_COMPLETED = (pb.COMMAND_STATE_SUCCESS, pb.COMMAND_STATE_FAILURE)
_KINDS = {kind: getattr(pb, f"COMMAND_KIND_{kind.value}") for kind in TransactionKind}

Answer = Callable[[TransactionAnswered], None]


class ChainAdapterClient:
    """The executor of `RequestTransaction`; `answer` receives exactly one answer per request."""

    def __init__(self, channel: grpc.aio.Channel, answer: Answer) -> None:
        self._stub = TransactionServiceStub(channel)
        self._answer = answer
        self._calls = {kind: asyncio.Semaphore(most) for kind, most in _CONCURRENT_CALLS.items()}
        self._watches = {kind: asyncio.Semaphore(most) for kind, most in _WATCHED_COMMANDS.items()}
        self._in_flight: RequestsInFlight[tuple[str, TransactionKind]] = RequestsInFlight()
        self.reachable: bool | None = None
        """Whether the adapter answered the last call; None before the first."""

    def request(self, wanted: RequestTransaction) -> None:
        """Start a request; do nothing while the same one is in flight."""
        subject = (wanted.task_id, wanted.kind)
        self._in_flight.start(subject, lambda: self._follow(wanted), name=f"transaction {wanted.kind.value}")

    async def close(self) -> None:
        """Cancel the requests in flight; the scheduler repeats them after a restart."""
        await self._in_flight.close()

    async def _follow(self, wanted: RequestTransaction) -> None:
        try:
            command = await self._call_in_turn(wanted)
            if command.state not in _COMPLETED:
                async with self._watches[wanted.kind]:
                    while command.state not in _COMPLETED:
                        command = await self._watch(wanted) or command
            self._set_reachable(True)
            answer = _answer_of(wanted, command)
            log.info(
                "transaction.completed",
                task=wanted.task_id,
                kind=wanted.kind.value,
                succeeded=answer.succeeded,
                block=answer.block,
                transaction=command.transaction_hash,
                reason=answer.reason,
            )
        except grpc.aio.AioRpcError as error:
            answer = self._answer_of_error(wanted, error)
        self._in_flight.complete((wanted.task_id, wanted.kind))
        self._answer(answer)

    async def _call_in_turn(self, wanted: RequestTransaction) -> Any:
        turns = self._calls[wanted.kind]
        await turns.acquire()
        pause_s = 0.0
        try:
            return await self._call(wanted)
        except grpc.aio.AioRpcError as error:
            pause_s = _FAILURE_PAUSE_S if error.code() in _TRANSIENT else 0.0
            raise
        finally:
            asyncio.get_running_loop().call_later(pause_s, turns.release)

    async def _call(self, wanted: RequestTransaction) -> Any:
        match wanted.kind:
            case TransactionKind.INITIALIZE:
                request: Any = pb.InitializeRequest(deal_id=wanted.deal_id, task_index=wanted.index)
                call: Any = self._stub.Initialize
            case TransactionKind.FINALIZE:
                request = pb.FinalizeRequest(
                    task_id=wanted.task_id,
                    result_link=wanted.result_link,
                    callback_data=wanted.callback_data,
                )
                call = self._stub.Finalize
            case TransactionKind.REOPEN:
                request, call = pb.ReopenRequest(task_id=wanted.task_id), self._stub.Reopen
            case TransactionKind.CLAIM:
                # With the deal, the adapter can also initialize a task that never was, then claim it.
                request = pb.ClaimRequest(
                    task_id=wanted.task_id, deal_id=wanted.deal_id, task_index=wanted.index
                )
                call = self._stub.Claim
        return (await call(request, timeout=_CALL_TIMEOUT_S)).command

    async def _watch(self, wanted: RequestTransaction) -> Any:
        request = pb.WatchCommandRequest(task_id=wanted.task_id, kind=_KINDS[wanted.kind])
        last = None
        try:
            async for response in self._stub.WatchCommand(request, timeout=_WATCH_TIMEOUT_S):
                last = response.command
        except grpc.aio.AioRpcError as error:
            # The stream's own timeout: reopen it, unless it delivered nothing.
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED or last is None:
                raise
        return last

    def _answer_of_error(
        self, wanted: RequestTransaction, error: grpc.aio.AioRpcError
    ) -> TransactionAnswered:
        reason = error_reason(error) or error.code().name
        if error.code() in _TRANSIENT:
            self._set_reachable(False, reason=reason, details=error.details())
            return TransactionAnswered(wanted.task_id, wanted.kind, None, reason=reason)
        self._set_reachable(True)
        log.warning(
            "transaction.refused",
            task=wanted.task_id,
            kind=wanted.kind.value,
            reason=reason,
            details=error.details(),
        )
        return TransactionAnswered(wanted.task_id, wanted.kind, False, reason=reason)

    def _set_reachable(self, reachable: bool, **details: object) -> None:
        if self.reachable is not False and not reachable:
            log.warning("chain_adapter.lost", **details)
        elif self.reachable is False and reachable:
            log.info("chain_adapter.recovered")
        self.reachable = reachable


def _answer_of(wanted: RequestTransaction, command: Any) -> TransactionAnswered:
    succeeded = {pb.COMMAND_STATE_SUCCESS: True, pb.COMMAND_STATE_FAILURE: False}.get(command.state)
    return TransactionAnswered(
        wanted.task_id,
        wanted.kind,
        succeeded,
        block=command.block_number if succeeded else 0,
        reason=command.error_reason,
    )
