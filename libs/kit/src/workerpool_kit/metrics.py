"""Prometheus metrics of every process. Those of one service are in that service's `metrics.py`."""

from prometheus_client import Gauge, Histogram

BUILD_INFO = Gauge("workerpool_build_info", "Always 1; the labels name what runs.", ["service", "version"])

COMPONENT_UP = Gauge(
    "workerpool_component_up", "1 while a component of /actuator/health is up, else 0.", ["component"]
)
GRPC_HANDLED = Histogram(
    "grpc_server_handling_seconds",
    "Duration of gRPC calls measured by the server, by method and status code.",
    ["grpc_method", "grpc_code"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def build_info(service: str, version: str) -> None:
    """Publish which service and version this process runs."""
    BUILD_INFO.labels(service=service, version=version).set(1)


def grpc_handled(method: str, code: str, seconds: float) -> None:
    """Record one finished gRPC call. `method` must be a served method, which bounds the number of series."""
    GRPC_HANDLED.labels(grpc_method=method, grpc_code=code).observe(seconds)
