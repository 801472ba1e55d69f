"""Figures every process exports to Prometheus. A service keeps the names of its own figures in its own file."""

from prometheus_client import Gauge, Histogram

BUILD_INFO = Gauge("workerpool_build_info", "Always 1; the labels say what runs.", ["service", "version"])

GRPC_HANDLED = Histogram(
    "grpc_server_handling_seconds",
    "Duration of gRPC calls as seen by the server, by method and outcome.",
    ["grpc_method", "grpc_code"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def build_info(service: str, version: str) -> None:
    """Publish which service and version this process runs."""
    BUILD_INFO.labels(service=service, version=version).set(1)


def grpc_handled(method: str, code: str, seconds: float) -> None:
    """Count one finished gRPC call. `method` is one of the served methods, so the number of series is bounded."""
    GRPC_HANDLED.labels(grpc_method=method, grpc_code=code).observe(seconds)
