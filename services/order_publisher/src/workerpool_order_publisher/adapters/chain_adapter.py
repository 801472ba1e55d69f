"""Client of the chain adapter, which closes orders on chain: it alone sends the owner's transactions."""

from typing import Any

import grpc
from workerpool_kit.dependencies.grpc_service import probe_login
from workerpool_kit.grpc.client import error_reason, open_service
from workerpool_poco.protocol.ids import Address
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import TransactionServiceStub

from workerpool_order_publisher.app.ports import CancelRefusal, PeerOutage
from workerpool_order_publisher.domain.order_book import Order

_CALL_LIMIT_S = 5.0
_PROBE_LIMIT_S = 2.5
_VARIABLES = "ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD, ORDER_PUBLISHER_CHAIN_ADAPTER_USERNAME"
_C = grpc.StatusCode
_REFUSALS = frozenset({_C.FAILED_PRECONDITION, _C.NOT_FOUND, _C.INVALID_ARGUMENT})
_CREDENTIALS = frozenset({_C.UNAUTHENTICATED, _C.PERMISSION_DENIED})


class ChainAdapterCanceller:
    """Requests cancellations for one pool. Implements the `Canceller` port."""

    def __init__(
        self, url: str, credentials: tuple[str, str], pool: Address, *, target: str | None = None
    ) -> None:
        """Open the channel, which connects in the background.

        Raises ValueError for a URL without a gRPC target, CleartextRefused (a ValueError) for one beyond this host
        without TLS.
        """
        self._channel = open_service(url, target=target, basic=credentials)
        self._stub: Any = TransactionServiceStub(self._channel)
        self._pool = pool

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close(None)

    async def probe(self) -> None:
        """Check that the adapter accepts the credentials. Raises DependencyProblem."""
        # The cheapest call with credentials reads one entry of an index.
        one = pb.ListCommandsRequest(page_size=1)
        await probe_login(
            lambda: self._stub.ListCommands(one, timeout=_PROBE_LIMIT_S), "chain adapter", _VARIABLES
        )

    async def cancel(self, order: Order) -> None:
        """Request the cancellation of an order on chain. Raises CancelRefusal or PeerOutage."""
        try:
            answer = await self._stub.CancelOrder(self._request(order), timeout=_CALL_LIMIT_S)
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSALS:
                raise CancelRefusal(
                    f"the chain adapter refuses the cancellation: {error.details()}"
                ) from error
            if error.code() in _CREDENTIALS:
                raise PeerOutage(
                    f"the chain adapter refuses the credentials; correct {_VARIABLES}"
                ) from error
            if error.code() is _C.UNIMPLEMENTED:
                raise PeerOutage(
                    "this version of the chain adapter cannot cancel orders; update it"
                ) from error
            reason = error_reason(error) or error.code().name
            raise PeerOutage(f"the chain adapter does not answer ({reason})") from error
        if answer.command.task_id != order.hash:
            # The order hash depends on chain and hub, so the adapter would close another order.
            raise CancelRefusal(
                "the chain adapter serves another chain or hub; correct its IEXEC_HUB_ADDRESS"
            )

    def _request(self, order: Order) -> pb.CancelOrderRequest:
        terms = order.terms
        return pb.CancelOrderRequest(
            order=pb.WorkerpoolOrder(
                workerpool=self._pool,
                workerpoolprice=terms.price,
                volume=order.volume,
                tag=terms.tag,
                category=terms.category,
                trust=terms.trust,
                apprestrict=terms.app,
                datasetrestrict=terms.dataset,
                requesterrestrict=terms.requester,
                salt=order.salt,
            )
        )
