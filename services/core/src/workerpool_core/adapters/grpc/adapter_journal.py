"""Client of the chain adapter's views for operators: its journal of transactions and its wallet."""

from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_kit.grpc.client import error_reason
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import TransactionServiceStub

from workerpool_core.app.ports import CommandPage, CommandQuery, CommandState, TransactionCommand, WalletState
from workerpool_core.errors import AdapterUnavailable, BadPageToken

_LIMIT_S = 2.0
"""Seconds for an answer, because a person waits for it."""
_STATES = {state: getattr(pb, f"COMMAND_STATE_{state.value}") for state in CommandState}


class AdapterJournal:
    """The port `TransactionJournal` over a channel with core's credentials."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = TransactionServiceStub(channel)

    async def commands(self, query: CommandQuery, page_token: str, size: int) -> CommandPage:
        """Read one page of commands, newest first. Raises AdapterUnavailable or BadPageToken."""
        request = pb.ListCommandsRequest(
            page_size=size,
            page_token=page_token,
            state=_STATES[query.state] if query.state is not None else pb.COMMAND_STATE_UNSPECIFIED,
            task_id=query.task_id,
        )
        answer = await self._ask(self._stub.ListCommands, request)
        return CommandPage([_command(each) for each in answer.commands], answer.next_page_token)

    async def wallet(self) -> WalletState:
        """Read the state of the wallet. Raises AdapterUnavailable."""
        found = await self._ask(self._stub.GetWallet, pb.GetWalletRequest())
        return WalletState(
            address=found.address,
            balance_wei=_number(found.balance_wei),
            mined_nonce=found.mined_nonce,
            next_nonce=found.next_nonce,
            in_flight=found.in_flight,
            oldest_unmined_s=found.oldest_unmined.ToTimedelta().total_seconds(),
            transactions_left=found.transactions_left if found.HasField("transactions_left") else None,
            parked_reason=found.parked_reason,
            replacements=found.replacements,
            gas_price_wei=_number(found.gas_price_wei),
            chain_shape=found.chain_shape,
        )

    async def _ask(self, call: Any, request: Any) -> Any:
        try:
            return await call(request, timeout=_LIMIT_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                raise BadPageToken(
                    "this page token is not from the chain adapter; start again without one"
                ) from error
            if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
                raise AdapterUnavailable(
                    "the chain adapter refuses core's credentials; correct IEXEC_CORE_CHAIN_ADAPTER_USERNAME and "
                    "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD"
                ) from error
            found = error_reason(error) or error.code().name
            raise AdapterUnavailable(
                f"the chain adapter does not answer ({found}); start it, or correct IEXEC_CORE_CHAIN_ADAPTER_URL"
            ) from error


def _command(message: pb.Command) -> TransactionCommand:
    return TransactionCommand(
        task_id=message.task_id,
        kind=_name(pb.CommandKind, message.kind, "COMMAND_KIND_"),
        state=_name(pb.CommandState, message.state, "COMMAND_STATE_"),
        transaction=message.transaction_hash,
        block=message.block_number,
        gas_used=message.gas_used,
        reason=message.error_reason,
        message=message.error_message,
        created_at=_seconds(message.created_at),
        updated_at=_seconds(message.updated_at),
        attempts=message.attempts,
    )


def _name(enum: Any, value: int, prefix: str) -> str:
    """Return the name of a value, or its number when a later release of the adapter added it."""
    return str(enum.Name(value)).removeprefix(prefix) if value in enum.values() else str(value)


def _seconds(moment: Timestamp) -> float:
    return moment.seconds + moment.nanos / 1e9


def _number(decimal: str) -> int:
    return int(decimal) if decimal.isdigit() else 0
