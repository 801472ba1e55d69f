"""Every query of every dashboard and alert has data on a real Prometheus that scraped a pool with ended tasks."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from monitoring.alerts import ALERTS
from monitoring.dashboards import panel_queries
from patience import PATIENCE_S
from prometheus_server import BINARY, Prometheus
from promql import filled_in, values_of_label
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.packages import repository_root
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.tags import TeeFramework, make_tag

from e2e.requester import Requester
from e2e.shell_image import ensure_shell_image

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.full,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not BINARY.exists(),
        reason="Prometheus is not there: run `make prometheus` (it needs Debian's apt-get)",
    ),
]

WORKERS = 2
RANGE_S = 60.0
RESULT = (
    "echo x > /iexec_out/r; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json'
)
JOBS = {
    "core": "core",
    "core-workers": "core",
    "chain-adapter": "chain_adapter",
    "result-proxy": "result_proxy",
    "registry": "registry",
    "sms": "sms",
    "order-publisher": "order_publisher",
}
"""The job of each service, as prometheus.yml names it."""
_NO_TROUBLE = "this pool has no such trouble; the test of the rules makes it fire"
MAY_BE_EMPTY = {
    "workers: Image pulls A": "the app's image is on this machine, so no worker pulls one",
    "alert WorkerQuarantined": _NO_TROUBLE,
    "alert WorkerParked": _NO_TROUBLE,
    "alert UploadsRefused": _NO_TROUBLE,
    "alert NoOffer": _NO_TROUBLE,
}
"""Queries that may have no data here, and why."""


@dataclass(frozen=True)
class Scraped:
    """A pool with ended tasks, and the Prometheus that has scraped it since its start."""

    prometheus: Prometheus
    net: Devnet


def documents() -> dict[str, dict[str, object]]:
    """Return the committed dashboards by name."""
    folder = repository_root() / "deploy" / "grafana" / "dashboards"
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def queries() -> Mapping[str, tuple[str, bool]]:
    """Return every query by its name: of panels, of variables and of alerts; and whether it is an instant one."""
    window = f"{RANGE_S:.0f}s"
    found = {
        query.name: (filled_in(query.expression, window), query.instant)
        for query in panel_queries(documents())
    }
    for name, document in documents().items():
        for variable in document["templating"].get("list", ()):  # type: ignore[attr-defined]
            found[f"{name}: variable {variable['name']}"] = values_of_label(variable["query"])[0], True
    # The value, and not the comparison with its limit: that has data only while the alert fires.
    return found | {f"alert {alert.name}": (alert.value, True) for alert in ALERTS}


QUERIES = queries()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scraped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scraped]:
    """Run a pool under Prometheus: one task completes, one has an error result, one fails, and a worker is killed."""
    shown = {"core": {"IEXEC_CORE_MANAGEMENT_ACTUATORS": "health,info,prometheus"}}
    async with Devnet(DevnetOptions(workers=WORKERS, sdk=True, environment=shown)) as net:
        names = JOBS | {f"worker-{number}": f"worker-{number}" for number in range(1, WORKERS + 1)}
        address = {job: urlsplit(net.services[name].http).netloc for job, name in names.items()}
        targets = {job: [address[job]] for job in JOBS}
        targets["worker"] = [address[f"worker-{number}"] for number in range(1, WORKERS + 1)]
        async with Prometheus(tmp_path_factory.mktemp("prometheus"), targets) as prometheus:
            await until(lambda: seen(prometheus, "min(up) == 1"))
            await run_tasks(net)
            await until(lambda: seen(prometheus, 'iexec_core_tasks_count{status="COMPLETED"} >= 2'))
            await until(lambda: seen(prometheus, 'iexec_core_tasks_count{status="FAILED"} >= 1'))
            net.services["worker-2"].process.kill()
            await until(lambda: seen(prometheus, 'workerpool_core_worker_info{state="disconnected"}'))
            # A rate needs two samples after the last change.
            await until(lambda: seen(prometheus, 'count_over_time(up{job="core"}[1m]) > 5'))
            yield Scraped(prometheus, net)


async def run_tasks(net: Devnet) -> None:
    """Buy a task that completes, one whose app fails, and one for an enclave that this pool has not."""
    requester = Requester(net, await net.create_app("shell", ensure_shell_image()), ())
    bought = [
        await buy(requester, f"/bin/sh -c '{RESULT}'"),
        await buy(requester, "/bin/sh -c 'exit 3'"),
        await buy(requester, "", tag=make_tag(framework=TeeFramework.TDX)),
    ]
    await requester.follow(bought)


async def buy(requester: Requester, arguments: str, *, tag: bytes = bytes(32)) -> TaskId:
    net = requester.net
    purchase = Purchase(
        requester=net.accounts["requester"],
        app=requester.app,
        app_owner=net.accounts["requester"],
        workerpool=net.workerpool,
        pool_owner=net.accounts["poolOwner"],
        params=DealParams(args=arguments),
        tag=tag,
    )
    (deal,) = await asyncio.to_thread(net.market.buy, purchase)
    return TaskId(deal.task_ids[0])


async def seen(prometheus: Prometheus, expression: str) -> bool:
    return bool(await prometheus.query(expression))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_has_data(scraped: Scraped, name: str) -> None:
    expression, instant = QUERIES[name]
    prometheus = scraped.prometheus
    found = (
        await prometheus.query(expression) if instant else await prometheus.query_range(expression, RANGE_S)
    )
    assert found or name in MAY_BE_EMPTY, expression


async def test_the_list_of_empty_queries_names_queries() -> None:
    assert set(MAY_BE_EMPTY) <= set(QUERIES)


async def test_what_the_seed_s_dashboard_shows_has_the_values_of_this_pool(scraped: Scraped) -> None:
    for expression, expected in {
        "iexec_core_workers": 2.0,
        'iexec_core_tasks_count{status="COMPLETED"}': 2.0,
        'iexec_core_tasks_count{status="FAILED"}': 1.0,
        "count(workerpool_core_worker_info)": 2.0,
        'sum(workerpool_core_worker_replicates_total{outcome="completed"})': 2.0,
        'workerpool_core_task_failures_total{status="COMPLETED", side="app"}': 1.0,
        'sum(workerpool_core_task_failures_total{status="FAILED"})': 1.0,
    }.items():
        (series,) = await scraped.prometheus.query(expression)
        assert float(series["value"][1]) == expected, expression
    for expression in (
        'increase(workerpool_core_deal_to_final_seconds_count{status="COMPLETED"}[1h])',
        "histogram_quantile(0.95, sum by (le) (rate(workerpool_core_deal_to_final_seconds_bucket[5m])))",
        'workerpool_wallet_transactions_left{job="chain-adapter"}',
    ):
        (series,) = await scraped.prometheus.query(expression)
        value = float(series["value"][1])
        assert value > 0, expression
        assert not math.isnan(value), expression


async def test_every_job_is_scraped_and_every_rule_is_evaluated(scraped: Scraped) -> None:
    targets = await scraped.prometheus.targets()
    killed = urlsplit(scraped.net.services["worker-2"].http).netloc
    health = {(each["labels"]["job"], each["labels"]["instance"]): each["health"] for each in targets}
    assert {job for job, _ in health} == {*JOBS, "worker", "prometheus"}
    assert {each for each, state in health.items() if state != "up"} == {("worker", killed)}
    rules = await scraped.prometheus.rules()
    assert {rule["name"] for rule in rules} == {alert.name for alert in ALERTS}
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
