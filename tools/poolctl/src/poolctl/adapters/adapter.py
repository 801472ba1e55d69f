"""Reads of the chain adapter: its commands and the pool owner's wallet."""

from typing import Any

from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import TransactionServiceStub

from poolctl.adapters.plain import plain
from poolctl.adapters.services import Services

Document = dict[str, Any]

_STATE, _PAGE = "COMMAND_STATE_", 200

STATES = tuple(each.name.removeprefix(_STATE) for each in pb.CommandState.DESCRIPTOR.values if each.number)
"""The states of a command."""


class Adapter:
    """Calls to the chain adapter; each needs its credentials."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def wallet(self) -> Document:
        """Return the wallet that signs: balance, nonces, and why it sends nothing."""
        answer = await self._services.call(
            "chain_adapter", TransactionServiceStub, "GetWallet", pb.GetWalletRequest()
        )
        return plain(answer)

    async def commands(self, *, state: str = "", task: str = "", limit: int = 50) -> list[Document]:
        """Return commands of the journal, newest first."""
        request = pb.ListCommandsRequest(
            page_size=min(limit, _PAGE),
            state=pb.CommandState.Value(_STATE + state) if state else pb.COMMAND_STATE_UNSPECIFIED,
            task_id=task,
        )
        found = await self._services.pages(
            "chain_adapter", TransactionServiceStub, "ListCommands", request, "commands", limit=limit
        )
        return [plain(each) for each in found]
