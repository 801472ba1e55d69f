"""The pool owner's transactions, asked of the chain adapter and followed until their effect is on chain.

Every request is idempotent on the adapter's side, so asking again after any doubt is harmless. One
stream per open command tells its end; nothing is polled.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from workerpool_kit.grpc.client import error_reason
from workerpool_kit.logs import get_logger
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import TransactionServiceStub

from workerpool_core.adapters.grpc.requests_in_flight import Inquiries
from workerpool_core.domain.decisions import RequestTransaction
from workerpool_core.domain.events import TransactionAnswered, TransactionKind

log = get_logger()

_CALL_LIMIT_S = 10.0
_MOST_ASKED_AT_ONCE = 256
"""A bag of thousands is asked for in as many calls; the rest waits its turn here rather than in the channel."""
_WATCH_LIMIT_S = 600.0
_TRANSIENT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    # Wrong credentials or a missing right is the operator's mistake: the task waits until it is corrected.
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
)
_KINDS = {kind: getattr(pb, f"COMMAND_KIND_{kind.value}") for kind in TransactionKind}

Answer = Callable[[TransactionAnswered], None]


class AdapterClient:
    """Carries out `RequestTransaction`. `answer` gets exactly one answer per request."""

    def __init__(self, channel: grpc.aio.Channel, answer: Answer) -> None:
        self._stub = TransactionServiceStub(channel)
        self._answer = answer
        self._asking = asyncio.Semaphore(_MOST_ASKED_AT_ONCE)
        self._under_way: Inquiries[tuple[str, TransactionKind]] = Inquiries()
        self.reachable: bool | None = None
        """Whether the last call was answered; None before the first."""

    def request(self, wanted: RequestTransaction) -> None:
        """Begin to ask; a request that is under way already is not doubled."""
        subject = (wanted.task_id, wanted.kind)
        self._under_way.begin(subject, lambda: self._follow(wanted), name=f"transaction {wanted.kind.value}")

    async def close(self) -> None:
        """Stop following; after a restart everything is asked again."""
        await self._under_way.close()

    async def _follow(self, wanted: RequestTransaction) -> None:
        try:
            async with self._asking:
                command = await self._ask(wanted)
            while command.state not in (pb.COMMAND_STATE_SUCCESS, pb.COMMAND_STATE_FAILURE):
                command = await self._watch(wanted) or command
            self._note_reachable(True)
            answer = _answer_of(wanted, command)
            log.info(
                "transaction.ended",
                task=wanted.task_id,
                kind=wanted.kind.value,
                succeeded=answer.succeeded,
                block=answer.block,
                transaction=command.transaction_hash,
                reason=answer.reason,
            )
        except grpc.aio.AioRpcError as error:
            answer = self._answer_of_error(wanted, error)
        self._under_way.answered((wanted.task_id, wanted.kind))
        self._answer(answer)

    async def _ask(self, wanted: RequestTransaction) -> Any:
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
                request, call = pb.ClaimRequest(task_id=wanted.task_id), self._stub.Claim
        return (await call(request, timeout=_CALL_LIMIT_S)).command

    async def _watch(self, wanted: RequestTransaction) -> Any:
        request = pb.WatchCommandRequest(task_id=wanted.task_id, kind=_KINDS[wanted.kind])
        last = None
        try:
            async for response in self._stub.WatchCommand(request, timeout=_WATCH_LIMIT_S):
                last = response.command
        except grpc.aio.AioRpcError as error:
            # Our own limit, after which the stream is opened anew, unless nothing came at all.
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED or last is None:
                raise
        return last

    def _answer_of_error(
        self, wanted: RequestTransaction, error: grpc.aio.AioRpcError
    ) -> TransactionAnswered:
        reason = error_reason(error) or error.code().name
        if error.code() in _TRANSIENT:
            self._note_reachable(False, reason=reason, details=error.details())
            return TransactionAnswered(wanted.task_id, wanted.kind, None, reason=reason)
        self._note_reachable(True)
        log.warning(
            "transaction.refused",
            task=wanted.task_id,
            kind=wanted.kind.value,
            reason=reason,
            details=error.details(),
        )
        return TransactionAnswered(wanted.task_id, wanted.kind, False, reason=reason)

    def _note_reachable(self, reachable: bool, **details: object) -> None:
        if self.reachable is not False and not reachable:
            log.warning("adapter.unreachable", **details)
        elif self.reachable is False and reachable:
            log.info("adapter.reachable")
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
