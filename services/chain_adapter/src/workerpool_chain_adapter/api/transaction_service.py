"""gRPC `workerpool.chain_adapter.v1.TransactionService`."""

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import DealId, TaskId, address, bytes32, to_hex
from workerpool_poco.protocol.orders import WorkerpoolOrder
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc as pb_grpc

from workerpool_chain_adapter.app.commands import Commands
from workerpool_chain_adapter.app.wallet import WalletView
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState
from workerpool_chain_adapter.errors import BadArgument

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

SERVICE = "workerpool.chain_adapter.v1.TransactionService"
ADMIN = "admin"
"""The only role: services and operators of the pool owner."""

_METHODS = (
    "Initialize",
    "Finalize",
    "Reopen",
    "Claim",
    "CancelOrder",
    "GetCommand",
    "WatchCommand",
    "ListCommands",
    "GetWallet",
)
POLICY = {f"/{SERVICE}/{method}": frozenset({ADMIN}) for method in _METHODS}

_DEFAULT_PAGE = 100

_KINDS = {pb.CommandKind.Value(f"COMMAND_KIND_{kind}"): kind for kind in CommandKind}
_STATES = {pb.CommandState.Value(f"COMMAND_STATE_{state}"): state for state in CommandState}
_KIND_NUMBERS = {kind: number for number, kind in _KINDS.items()}
_STATE_NUMBERS = {state: number for number, state in _STATES.items()}


class TransactionServicer(pb_grpc.TransactionServiceServicer):
    """The service that transaction_service.proto documents."""

    def __init__(self, commands: Commands, wallet: WalletView, orders: Eip712Domain) -> None:
        """Create the service; `orders` is the EIP-712 domain of the hub's orders, which determines their hashes."""
        self._commands = commands
        self._wallet = wallet
        self._orders = orders

    async def Initialize(self, request: pb.InitializeRequest, context: Context) -> pb.InitializeResponse:
        """Request a task's initialization."""
        command = await self._commands.initialize(DealId(request.deal_id), request.task_index)
        return pb.InitializeResponse(command=_message(command))

    async def Finalize(self, request: pb.FinalizeRequest, context: Context) -> pb.FinalizeResponse:
        """Request a task's finalization."""
        command = await self._commands.finalize(
            TaskId(request.task_id), request.result_link, request.callback_data
        )
        return pb.FinalizeResponse(command=_message(command))

    async def Reopen(self, request: pb.ReopenRequest, context: Context) -> pb.ReopenResponse:
        """Request the reopening of a task."""
        return pb.ReopenResponse(command=_message(await self._commands.reopen(TaskId(request.task_id))))

    async def Claim(self, request: pb.ClaimRequest, context: Context) -> pb.ClaimResponse:
        """Request the refund of a task's requester."""
        command = await self._commands.claim(
            TaskId(request.task_id), DealId(request.deal_id), request.task_index
        )
        return pb.ClaimResponse(command=_message(command))

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Context) -> pb.CancelOrderResponse:
        """Request the cancellation of an order on chain."""
        order = _order(request.order)
        command = await self._commands.cancel_order(to_hex(order.hash(self._orders)), order)
        return pb.CancelOrderResponse(command=_message(command))

    async def GetCommand(self, request: pb.GetCommandRequest, context: Context) -> pb.GetCommandResponse:
        """Return one command."""
        command = await self._commands.get(CommandKey(TaskId(request.task_id), _KINDS[request.kind]))
        return pb.GetCommandResponse(command=_message(command))

    async def WatchCommand(
        self, request: pb.WatchCommandRequest, context: Context
    ) -> AsyncIterator[pb.WatchCommandResponse]:
        """Send one command now and at each change until it is final."""
        async for command in self._commands.watch(CommandKey(TaskId(request.task_id), _KINDS[request.kind])):
            yield pb.WatchCommandResponse(command=_message(command))

    async def ListCommands(
        self, request: pb.ListCommandsRequest, context: Context
    ) -> pb.ListCommandsResponse:
        """Return a page of the journal."""
        size = request.page_size or _DEFAULT_PAGE
        before = _position(request.page_token) if request.page_token else None
        # One more than requested shows whether there is a next page.
        found = await self._commands.page(
            size + 1, before, _STATES.get(request.state), TaskId(request.task_id)
        )
        page = found[:size]
        token = _token(page[-1]) if len(found) > size else ""
        return pb.ListCommandsResponse(commands=[_message(each) for each in page], next_page_token=token)

    async def GetWallet(self, request: pb.GetWalletRequest, context: Context) -> pb.GetWalletResponse:
        """Return the wallet's balance, and its transactions in flight."""
        wallet = await self._wallet.read()
        sending = wallet.pipeline
        answer = pb.GetWalletResponse(
            address=wallet.address,
            balance_wei=str(wallet.balance),
            mined_nonce=wallet.mined_nonce,
            next_nonce=wallet.next_nonce,
            in_flight=sending.in_flight,
            transactions_left=wallet.transactions_left,
            parked_reason=sending.parked_reason,
            replacements=sending.replacements,
            fillers=sending.fillers,
            gas_price_wei=str(wallet.price),
            chain_shape=sending.shape,
        )
        answer.oldest_unmined.FromNanoseconds(round(sending.oldest_unmined_s * 1e9))
        return answer


def _message(command: Command) -> pb.Command:
    message = pb.Command(
        task_id=command.key.task_id,
        kind=_KIND_NUMBERS[command.key.kind],
        state=_STATE_NUMBERS[command.state],
        transaction_hash=command.transaction_hash,
        block_number=command.block_number,
        gas_used=command.gas_used,
        error_reason=command.error_reason,
        error_message=command.error_message,
        attempts=command.attempts,
        deal_id=command.deal_id,
        task_index=command.task_index,
    )
    message.created_at.FromNanoseconds(round(command.created_at * 1e9))
    message.updated_at.FromNanoseconds(round(command.updated_at * 1e9))
    return message


def _order(message: pb.WorkerpoolOrder) -> WorkerpoolOrder:
    return WorkerpoolOrder(
        workerpool=address(message.workerpool),
        workerpoolprice=message.workerpoolprice,
        volume=message.volume,
        tag=bytes32(message.tag),
        category=message.category,
        trust=message.trust,
        apprestrict=address(message.apprestrict),
        datasetrestrict=address(message.datasetrestrict),
        requesterrestrict=address(message.requesterrestrict),
        salt=bytes32(message.salt),
    )


def _token(last: Command) -> str:
    return base64.urlsafe_b64encode(f"{last.created_at!r} {last.key}".encode()).decode()


def _position(token: str) -> tuple[float, str]:
    try:
        created_at, _, key = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
        return float(created_at), key
    except (binascii.Error, ValueError) as error:
        raise BadArgument("page_token: use the token of the previous answer unchanged") from error
