"""A registry that limits one worker, one worker with wrong credentials, one without DNS: no stake is lost.

Each worker has an engine of its own, since images that one engine pulled are there for all its workers.
"""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from workerpool_devnet.demo.follow import Progress, follow
from workerpool_devnet.demo.results import open_result
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.services.readiness import wait_registered
from workerpool_devnet.services.service import Service
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.deal_params import DealParams

from e2e import history
from e2e.requester import PRICE, Requester
from services.worker.tests.harness import private_engine as engines
from services.worker.tests.harness import registry as registries
from services.worker.tests.harness.app_image import NoBusybox, ensure_image
from services.worker.tests.harness.registry import LIMITED, NAME, OTHER_ADDRESS, OTHER_USER, Fault, Registry

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

SERVICES = ("registry", "chain_adapter", "result_proxy", "core")
LIMITED_WORKER, WRONG_WORKER, DEAF_WORKER = "worker-1", "worker-2", "worker-3"
WORKERS = (LIMITED_WORKER, WRONG_WORKER, DEAF_WORKER, "worker-4", "worker-5")
APP = (
    "/bin/sh -c 'echo real > /iexec_out/r; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json\''
)
DEALS = [(1, 2), (3, 2)]
"""Trust and number of tasks."""
FOLLOWED_S = 300.0
"""A worker that fails three times is in quarantine, so few remain for the last tasks."""


@pytest.fixture(scope="module", params=["private", "public"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry of the operator, or one that the app's owner chose, which serves everyone but limits one worker."""
    if reason := registries.why_not() or engines.why_not():
        pytest.skip(reason)
    with registries.private_registry(tmp_path_factory.mktemp("registry") / "files") as running:
        running.public = request.param == "public"
        running.fault = _limits_one
        yield running


def _limits_one(user: str, path: str) -> Fault | None:
    return LIMITED if user == OTHER_USER else None


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """A server that tells a worker that its network works."""
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(
    registry: Registry, reference: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Devnet]:
    """Run a pool with three workers in trouble and two others, each with a private engine."""
    folder = tmp_path_factory.mktemp("engines")
    with ExitStack() as stack:
        seen: dict[str, engines.Namespace] = {}
        environment: dict[str, dict[str, str]] = {}
        for worker in WORKERS:
            (folder / worker).mkdir()
            address = OTHER_ADDRESS if worker == LIMITED_WORKER else registries.own_address()
            dns = "127.0.0.1" if worker == DEAF_WORKER else ""
            seen[worker] = engines.namespace(folder / worker, {} if dns else {NAME: address}, dns=dns)
            authority = registry.authority.file
            engine = stack.enter_context(
                engines.private_engine(folder / worker / "engine", seen[worker], authority=authority)
            )
            if worker == WORKERS[-1]:
                _push(registry, engine.client)
            environment[worker] = _environment(worker, registry, engine.url, reference)
        options = DevnetOptions(
            workers=len(WORKERS), cpus_per_worker=1, trust=3, services=SERVICES, environment=environment
        )
        async with Devnet(options) as running:
            for worker in WORKERS:
                _start_in(seen[worker], running, worker)
            core = running.services["core"]
            await wait_registered(
                core.grpc,
                [core.process, *(running.services[worker].process for worker in WORKERS)],
                {running.account(worker).address for worker in WORKERS},
                timeout=120,
            )
            yield running
            for worker in WORKERS:
                running.services[worker].stop_for_good()


def _push(registry: Registry, client: Any) -> None:
    try:
        registry.push(client.api, image := ensure_image(client), "app", "1")
    except NoBusybox:
        pytest.skip("NO BUSYBOX: install the Debian package busybox-static")
    client.api.remove_image(image)


def _environment(worker: str, registry: Registry, engine: str, reference: str) -> dict[str, str]:
    found = {
        "DOCKER_HOST": engine,
        "WORKERPOOL_WORKER_APP_NETWORK": "none",
        "WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS": ".workerpool.test",
        "WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS": (
            "http://reference.workerpool.test" if worker == DEAF_WORKER else reference
        ),
    }
    if registry.public and worker != WRONG_WORKER:
        return found
    prefix = "IEXEC_WORKER_DOCKER_REGISTRY"
    return found | {
        f"{prefix}_ADDRESS_1": f"https://{NAME.upper()}:{registry.proxy_port}/v1/",
        f"{prefix}_USERNAME_1": registries.USER,
        f"{prefix}_PASSWORD_1": "wrong" if worker == WRONG_WORKER else registries.PASSWORD,
    }


def _start_in(seen: engines.Namespace, net: Devnet, worker: str) -> None:
    """Start a worker in the namespace of its engine."""
    spec = net.services[worker].spec
    process = ManagedProcess(
        worker,
        seen.command(*spec.command),
        log=net.logs / f"{worker}.log",
        env=spec.environment,
        folder=net.folder / worker,
    )
    net.services[worker] = Service(spec, process)
    net.services[worker].start()


async def test_all_deals_end_with_the_real_result_and_no_stake_is_lost(
    net: Devnet, registry: Registry, tmp_path: Path
) -> None:
    app = await net.create_app("registry trouble", registry.image("app:1"))
    requester = Requester(net, app, ())
    async with HubClient(net.chain.url, net.contracts.hub) as hub:

        async def stakes() -> dict[str, int]:
            accounts = {worker: await hub.view_account(net.account(worker).address) for worker in WORKERS}
            return {worker: account.stake + account.locked for worker, account in accounts.items()}

        before = await stakes()
        owner = net.accounts["poolOwner"].address
        pool_before = await hub.view_account(owner)
        deals = [
            await net.buy(
                app, params=DealParams(args=APP), volume=volume, trust=trust, workerpool_price=PRICE
            )
            for trust, volume in DEALS
        ]
        tasks = [task for deal in deals for task in deal.task_ids]
        progress = Progress()
        await follow(net.services["core"].grpc, tasks, progress, timeout=FOLLOWED_S)
        after, pool_after = await stakes(), await hub.view_account(owner)

    for task in tasks:
        record = await requester.on_chain(task)
        assert record.completed
        assert progress.tasks[task].error_cause == 0
        result = await open_result(net.services["result_proxy"].grpc, task, record.task, tmp_path / task)
        assert result.matches
        assert (tmp_path / task / "r").read_text() == "real\n"
    assert all(after[worker] >= before[worker] for worker in WORKERS), (before, after)
    assert after["worker-4"] + after["worker-5"] > before["worker-4"] + before["worker-5"]
    assert pool_after.stake + pool_after.locked >= pool_before.stake + pool_before.locked

    causes: dict[str, set[str]] = {worker: set() for worker in WORKERS}
    for task in tasks:
        replicates = history.replicates(progress, task)
        for worker in WORKERS:
            if (replicate := replicates.get(net.account(worker).address)) is not None:
                causes[worker] |= set(history.causes(replicate).values()) - {
                    "UNSPECIFIED",
                    "CONSENSUS_REACHED",
                }
    assert not causes["worker-4"] | causes["worker-5"]
    limited = "APP_REGISTRY_UNAVAILABLE" if registry.public else "PUBLIC_REGISTRY_UNAVAILABLE"
    expected = {LIMITED_WORKER: {limited}, DEAF_WORKER: {"HOST_FAILED"}, WRONG_WORKER: {"HOST_FAILED"}}
    if registry.public:
        expected[WRONG_WORKER] = set()
    for worker, allowed in expected.items():
        assert causes[worker] <= allowed, causes
    assert causes[LIMITED_WORKER] | causes[DEAF_WORKER], "the workers in trouble got no task"
