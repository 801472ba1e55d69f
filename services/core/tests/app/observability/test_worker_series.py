"""The table of workers in the text format of Prometheus."""

from prometheus_client.parser import text_string_to_metric_families
from workerpool_core.app.observability.worker_series import WorkerSample, exposition

SAMPLE = WorkerSample(
    wallet="0x12",
    name='a "name" \\ of\ntwo lines',
    version="1.2",
    os="linux",
    cpu="x86",
    state="busy",
    slots=4,
    busy_slots=3,
    seen=1_700_000_000.5,
    completed=7,
    failed=2,
)


def series(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_worker_has_its_series() -> None:
    found = series(exposition([SAMPLE]).decode())
    labels = {
        "wallet": "0x12",
        "name": SAMPLE.name,
        "version": "1.2",
        "os": "linux",
        "cpu": "x86",
        "state": "busy",
    }
    wallet = ("wallet", "0x12")
    assert found == {
        ("workerpool_core_worker_info", frozenset(labels.items())): 1,
        ("workerpool_core_worker_slots", frozenset([wallet])): 4,
        ("workerpool_core_worker_busy_slots", frozenset([wallet])): 3,
        ("workerpool_core_worker_seen_timestamp_seconds", frozenset([wallet])): 1_700_000_000.5,
        ("workerpool_core_worker_replicates_total", frozenset([wallet, ("outcome", "completed")])): 7,
        ("workerpool_core_worker_replicates_total", frozenset([wallet, ("outcome", "failed")])): 2,
    }


def test_a_pool_without_workers_has_no_series() -> None:
    assert series(exposition([]).decode()) == {}
