"""A pool whose every peer is named by an https URL: reverse proxies serve HTTP and gRPC with TLS on one port each.

Each reverse proxy has its own loopback address and listens on port 443 there, if this user may bind that port.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from certificates import Authority, identity_of
from patience import PATIENCE_S
from reverse_proxy import ReverseProxy, reverse_proxy
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_ports_in_a_row
from workerpool_kit.grpc.client import open_service
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_kit.tls.material import TlsFiles
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import address_bytes, to_hex
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_poco.protocol.tags import TeeFramework, make_tag
from workerpool_protocol.order_publisher.v1 import offer_service_pb2 as offers_pb
from workerpool_protocol.order_publisher.v1.offer_service_pb2_grpc import OfferServiceStub
from workerpool_protocol.sms.v1 import tee_service_pb2 as tee_pb
from workerpool_protocol.sms.v1.tee_service_pb2_grpc import TeeServiceStub

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

PEERS = ("registry", "chain_adapter", "result_proxy", "core", "sms", "order_publisher")
"""In the order in which a devnet numbers its ports from a first one."""
OPERATOR, PASSWORD = "operator", "password of the publisher"
_MAX_SERVICES = 12


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of every reverse proxy."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fronts(authority: Authority) -> AsyncIterator[dict[str, ReverseProxy]]:
    """Reverse proxies before the ports of a devnet to come."""
    first = free_ports_in_a_row(_MAX_SERVICES)
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                reverse_proxy(
                    authority,
                    first + position,
                    first + position + GRPC_PORT_OFFSET,
                    https_address=f"127.44.3.{position + 1}",
                )
            )
            for position, name in enumerate(PEERS)
        }


@pytest.fixture(scope="module")
def platform(fronts: dict[str, ReverseProxy], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a platform registry that names the SMS by its https URL."""
    folder = tmp_path_factory.mktemp("platform")
    (folder / "application.yml").write_text(f"sms.tdx: {fronts['sms'].url}\n")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(fronts: dict[str, ReverseProxy], authority: Authority, platform: Path) -> AsyncIterator[Devnet]:
    """A pool of one worker that knows its peers by these URLs only."""
    urls = {name: front.url for name, front in fronts.items()}
    trust = {"WORKERPOOL_TLS_CA": str(authority.file)}
    registry = {"IEXEC_CONFIG_SERVER_URL": urls["registry"], "IEXEC_PLATFORM_REGISTRY": urls["registry"]}
    environment = {
        "registry": {"IEXEC_PLATFORM_REGISTRY_DIR": str(platform)},
        "core": trust
        | registry
        | {
            "IEXEC_CORE_CHAIN_ADAPTER_URL": urls["chain_adapter"],
            "IEXEC_RESULT_REPOSITORY_URL": urls["result_proxy"],
        },
        "result_proxy": {"IEXEC_RESULT_PROXY_PUBLIC_URL": urls["result_proxy"]},
        "sms": {"IEXEC_SMS_PUBLIC_URL": urls["sms"]},
        "order_publisher": trust
        | registry
        | {
            "IEXEC_CORE_URL": urls["core"],
            "ORDER_PUBLISHER_CHAIN_ADAPTER_URL": urls["chain_adapter"],
            "ORDER_PUBLISHER_OPERATOR_USERNAME": OPERATOR,
            "ORDER_PUBLISHER_OPERATOR_PASSWORD": PASSWORD,
        },
        "worker": trust | {"IEXEC_CORE_URL": urls["core"]},
    }
    options = DevnetOptions(
        workers=1,
        ports=fronts["registry"].http_port,
        environment=environment,
        services=(*PEERS, "market", "worker-1"),
    )
    async with Devnet(options) as running:
        yield running


@pytest.fixture
def client(authority: Authority) -> Iterator[None]:
    """Make this process trust the authority, as an operator's tool does."""
    with identity_of(TlsFiles(ca=authority.file)):
        yield


async def test_tasks_are_computed_through_reverse_proxies_with_tls(
    requester: Requester, fronts: dict[str, ReverseProxy]
) -> None:
    tasks = await requester.buy(volume=2)
    await requester.follow(tasks)
    for task in tasks:
        record = await requester.on_chain(task)
        assert record.task.status is ChainTaskStatus.COMPLETED, record
    for name in ("registry", "chain_adapter", "result_proxy", "core"):
        assert fronts[name].passed["h2"] > 0, f"no gRPC call reached the {name} by its URL"


@pytest.mark.usefixtures("client")
async def test_the_offers_of_a_publisher_behind_tls_follow_core(
    net: Devnet, fronts: dict[str, ReverseProxy]
) -> None:
    async with (
        open_service(fronts["order_publisher"].url, basic=(OPERATOR, PASSWORD)) as channel,
        asyncio.timeout(PATIENCE_S),
    ):
        publisher = OfferServiceStub(channel)
        while True:
            found = await publisher.GetOffers(offers_pb.GetOffersRequest(), timeout=PATIENCE_S)
            if any(offer.state == offers_pb.OFFER_STATE_OPEN for offer in found.offers):
                break
            await asyncio.sleep(0.1)
    assert fronts["order_publisher"].passed["h2"] > 0


@pytest.mark.usefixtures("client")
async def test_core_and_requesters_reach_an_sms_behind_tls(
    net: Devnet, requester: Requester, authority: Authority, fronts: dict[str, ReverseProxy]
) -> None:
    url, owner = fronts["sms"].url, net.accounts["requester"]
    async with open_service(url) as channel:
        await TeeServiceStub(channel).GetFramework(tee_pb.GetFrameworkRequest(), timeout=PATIENCE_S)
    before = fronts["sms"].passed["h2"]

    parts = (keccak(b"IEXEC_SMS_DOMAIN"), address_bytes(owner.address), keccak(b"tls"), keccak(b"a secret"))
    signature = to_hex(owner.sign_message_hash(keccak(b"".join(parts))))
    trusting = ssl.create_default_context(cafile=str(authority.file))
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{url}/secrets/web2",
            params={"ownerAddress": owner.address, "secretName": "tls"},
            headers={"Authorization": signature},
            data="a secret",
            ssl=trusting,
        ) as stored,
    ):
        assert stored.status == 204, await stored.text()
    assert fronts["sms"].passed["http/1.1"] > 0

    purchase = Purchase(
        requester=owner,
        app=requester.app,
        app_owner=owner,
        workerpool=net.workerpool,
        pool_owner=net.accounts["poolOwner"],
        category=list(CATEGORIES).index("XS"),
        tag=make_tag(framework=TeeFramework.TDX),
    )
    (deal,) = await asyncio.to_thread(net.market.buy, purchase)
    async with asyncio.timeout(PATIENCE_S):
        while (await requester.on_chain(deal.task_ids[0])).task.status is not ChainTaskStatus.ACTIVE:
            await asyncio.sleep(0.1)
    assert fronts["sms"].passed["h2"] > before, "core initialized the task without its SMS"
