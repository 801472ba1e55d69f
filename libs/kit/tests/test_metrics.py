"""Metrics of every process."""

from prometheus_client import REGISTRY
from workerpool_kit import metrics


def test_build_info_names_service_and_version() -> None:
    metrics.build_info("demo", "1.2.3")
    labels = {"service": "demo", "version": "1.2.3"}
    assert REGISTRY.get_sample_value("workerpool_build_info", labels) == 1


def test_duration_of_a_call_is_recorded_by_method_and_code() -> None:
    metrics.grpc_handled("/demo/Method", "OK", 0.004)
    labels = {"grpc_method": "/demo/Method", "grpc_code": "OK"}
    assert REGISTRY.get_sample_value("grpc_server_handling_seconds_sum", labels) == 0.004
