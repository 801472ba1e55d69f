"""The client of the chain adapter: the whole order arrives, and each failure is a sentence."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.dependencies.report import DependencyProblem
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.server import GrpcServer
from workerpool_order_publisher.adapters.chain_adapter import ChainAdapterCanceller
from workerpool_order_publisher.adapters.market.order_signer import OrderSigner
from workerpool_order_publisher.app.ports import CancelRefusal, PeerOutage
from workerpool_order_publisher.domain.order_book import Order, Terms
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import address, bytes32, to_hex
from workerpool_poco.protocol.orders import WorkerpoolOrder, order_domain
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import (
    TransactionServiceServicer,
    add_TransactionServiceServicer_to_server,
)

NAME, ADMIN = "workerpool.chain_adapter.v1.TransactionService", "admin"
POOL = address("0x" + "ab" * 20)
DOMAIN = order_domain(65535, address("0x" + "cd" * 20))
TERMS = Terms(5, 7, "0x" + "01" * 32, 3, *(address("0x" + digit * 40) for digit in "123"))


class Refused(WorkerpoolError):
    kind = Kind.PRECONDITION
    reason = "NOT_POOL_OWNER"


class Adapter(TransactionServiceServicer):
    """Computes the hash of what arrives, as the chain adapter does."""

    def __init__(self) -> None:
        self.domain = DOMAIN
        self.refusal: WorkerpoolError | None = None

    async def CancelOrder(self, request: Any, context: Any) -> pb.CancelOrderResponse:
        if self.refusal is not None:
            raise self.refusal
        sent = request.order
        order = WorkerpoolOrder(
            workerpool=sent.workerpool,
            workerpoolprice=sent.workerpoolprice,
            volume=sent.volume,
            tag=bytes32(sent.tag),
            category=sent.category,
            trust=sent.trust,
            apprestrict=sent.apprestrict,
            datasetrestrict=sent.datasetrestrict,
            requesterrestrict=sent.requesterrestrict,
            salt=bytes32(sent.salt),
        )
        return pb.CancelOrderResponse(command=pb.Command(task_id=to_hex(order.hash(self.domain))))

    async def ListCommands(self, request: Any, context: Any) -> pb.ListCommandsResponse:
        return pb.ListCommandsResponse()


class Served:
    """A served adapter, and clients of it."""

    def __init__(self, adapter: Adapter, url: str) -> None:
        self.adapter, self.url = adapter, url
        self.order: Order = OrderSigner(Wallet.create(), POOL, DOMAIN).order(TERMS, 2, 1.0)

    async def cancel(self, password: str = "secret") -> None:
        client = self.client(password)
        try:
            await client.cancel(self.order)
        finally:
            await client.close()

    def client(self, password: str) -> ChainAdapterCanceller:
        return ChainAdapterCanceller(self.url, ("publisher", password), POOL)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    adapter = Adapter()  # type: ignore[abstract]
    methods = pb.DESCRIPTOR.services_by_name["TransactionService"].methods_by_name
    policy = {f"/{NAME}/{method}": frozenset({ADMIN}) for method in methods}
    server = GrpcServer(
        0, host="127.0.0.1", authenticator=BasicAuthenticator("publisher", "secret", ADMIN), policy=policy
    )
    server.add(add_TransactionServiceServicer_to_server, adapter, NAME)
    await server.start()
    yield Served(adapter, f"http://127.0.0.1:{server.port - 10_000}")
    await server.stop(0)


async def test_the_adapter_gets_the_order_whose_hash_was_signed(served: Served) -> None:
    await served.cancel()


async def test_an_adapter_of_another_chain_is_noticed(served: Served) -> None:
    served.adapter.domain = order_domain(1, address("0x" + "cd" * 20))
    with pytest.raises(CancelRefusal, match="another chain or hub"):
        await served.cancel()


async def test_a_refusal_carries_the_adapter_s_words(served: Served) -> None:
    served.adapter.refusal = Refused("only the owner may")
    with pytest.raises(CancelRefusal, match="only the owner may"):
        await served.cancel()


async def test_wrong_credentials_name_their_variables(served: Served) -> None:
    with pytest.raises(PeerOutage, match="ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD"):
        await served.cancel("wrong")
    client = served.client("wrong")
    with pytest.raises(DependencyProblem, match="credentials"):
        await client.probe()
    await client.close()


async def test_a_working_adapter_passes_the_probe(served: Served) -> None:
    client = served.client("secret")
    await client.probe()
    await client.close()


async def test_an_adapter_that_is_away_is_an_outage() -> None:
    client = ChainAdapterCanceller("http://127.0.0.1:1", ("publisher", "secret"), POOL)
    order = OrderSigner(Wallet.create(), POOL, DOMAIN).order(TERMS, 2, 1.0)
    with pytest.raises(PeerOutage, match="does not answer"):
        await client.cancel(order)
    await client.close()
