"""The metrics that the processes of a pool serve, read from their code: names, with the labels of each."""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from workerpool_core.app.observability.metrics import PoolCollector
from workerpool_core.app.observability.worker_series import WorkerSample, exposition
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.statuses import TaskStatus
from workerpool_worker.adapters.stage_durations import StageDurations

_PACKAGES = (
    "workerpool_kit",
    "workerpool_transactions",
    "workerpool_core",
    "workerpool_chain_adapter",
    "workerpool_result_proxy",
    "workerpool_registry",
    "workerpool_sms",
    "workerpool_order_publisher",
    "workerpool_worker",
)
_SCRAPE_LABELS = {"job", "instance"}
"""Labels that Prometheus adds to every series."""
_SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
}
_OF_PROMETHEUS = {"up": _SCRAPE_LABELS, "ALERTS": _SCRAPE_LABELS | {"alertname", "alertstate", "severity"}}


@cache
def metrics_of_code() -> dict[str, set[str]]:
    """Return the labels of each series by its name, those that Prometheus makes itself included."""
    for package in _PACKAGES:
        _import_metrics(importlib.import_module(package))
    found = dict(_OF_PROMETHEUS)
    # The registry has no public way to name the labels of a metric without series.
    for collector in set(REGISTRY._collector_to_names):
        found |= _described(collector)
    for collector in (PoolCollector(_summary, "1"), StageDurations(1)):
        found |= _sampled(collector.collect())
    return found | _sampled(text_string_to_metric_families(exposition([_sample()]).decode()))


def _import_metrics(package: ModuleType) -> None:
    """Import each module below a package that defines metrics with prometheus_client."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        spec = module.module_finder.find_spec(module.name, None)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            continue
        with open(spec.origin, encoding="utf-8") as file:
            if "from prometheus_client import" in file.read():
                importlib.import_module(module.name)


def _described(collector: Collector) -> dict[str, set[str]]:
    labels = set(getattr(collector, "_labelnames", ()))
    found = {}
    for family in collector.describe() if hasattr(collector, "describe") else collector.collect():
        for suffix in _SUFFIXES.get(family.type, ("",)):
            extra = {"le"} if suffix == "_bucket" else set()
            found[family.name + suffix] = labels | extra | _SCRAPE_LABELS
    return found | _sampled(collector.collect())


def _sampled(families: Iterable[Metric]) -> dict[str, set[str]]:
    return {
        sample.name: set(sample.labels) | _SCRAPE_LABELS
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def _summary() -> PoolSummary:
    return PoolSummary(
        pool=Address("0x12"),
        alive_workers=0,
        registered_cpus=0,
        computing_cpus=0,
        registered_gpus=0,
        computing_gpus=0,
        tasks_by_status=dict.fromkeys(TaskStatus, 0),
        latest_block=Block(1, b"1", b"0", 1),
        cursor_block=1,
        deal_events=0,
        deals=0,
        latest_deal_block=0,
    )


def _sample() -> WorkerSample:
    return WorkerSample("0x12", "one", "1", "linux", "x86", "idle", 1, 0, 1.0, 0, 0)
