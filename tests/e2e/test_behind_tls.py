"""A pool whose every peer is named by an https URL: reverse proxies serve HTTP and gRPC with TLS on one port each."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from certificates import Authority
from reverse_proxy import ReverseProxy, reverse_proxy
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_ports_in_a_row
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.statuses import ChainTaskStatus

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

PEERS = ("registry", "chain_adapter", "result_proxy", "core")
"""In the order in which a devnet numbers its ports from a first one."""
_MAX_SERVICES = 12


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fronts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, ReverseProxy]]:
    """Reverse proxies before the ports of a devnet to come."""
    authority, first = Authority(tmp_path_factory.mktemp("authority")), free_ports_in_a_row(_MAX_SERVICES)
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                reverse_proxy(authority, first + position, first + position + GRPC_PORT_OFFSET)
            )
            for position, name in enumerate(PEERS)
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(
    fronts: dict[str, ReverseProxy], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Devnet]:
    """A pool of one worker that knows its peers by these URLs only."""
    (folder,) = [
        path
        for path in tmp_path_factory.getbasetemp().glob("authority*")
        if path.is_dir() and not path.is_symlink()
    ]
    trust = {"WORKERPOOL_TLS_CA": str(Path(folder) / "ca.pem")}
    environment = {
        "core": trust
        | {
            "IEXEC_CORE_CHAIN_ADAPTER_URL": fronts["chain_adapter"].url,
            "IEXEC_CONFIG_SERVER_URL": fronts["registry"].url,
            "IEXEC_PLATFORM_REGISTRY": fronts["registry"].url,
            "IEXEC_RESULT_REPOSITORY_URL": fronts["result_proxy"].url,
        },
        "result_proxy": {"IEXEC_RESULT_PROXY_PUBLIC_URL": fronts["result_proxy"].url},
        "worker": trust | {"IEXEC_CORE_URL": fronts["core"].url},
    }
    options = DevnetOptions(workers=1, ports=fronts["registry"].http_port, environment=environment)
    async with Devnet(options) as running:
        yield running


async def test_tasks_are_computed_through_reverse_proxies_with_tls(
    requester: Requester, fronts: dict[str, ReverseProxy]
) -> None:
    tasks = await requester.buy(volume=2)
    await requester.follow(tasks)
    for task in tasks:
        record = await requester.on_chain(task)
        assert record.task.status is ChainTaskStatus.COMPLETED, record
    for name, front in fronts.items():
        assert front.passed["h2"] > 0, f"no gRPC call reached the {name} by its URL"
