"""Durations of the latest executions: the documented JSON form of `/metrics` and Prometheus series."""

from collections import deque
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_STAGES = {"preCompute": "pre_compute", "appCompute": "app_compute", "postCompute": "post_compute"}


class StageDurations(Collector):
    """The latest durations of each stage in milliseconds. Implements the `StageTimings` port."""

    def __init__(self, window: int) -> None:
        """Create it without samples. `window` is the number of executions that it keeps."""
        names = (*_STAGES, "completeCompute")
        self._samples: dict[str, deque[float]] = {name: deque(maxlen=window) for name in names}

    def record(self, app_s: float, post_compute_s: float) -> None:
        """Record one execution: run time of the app and duration of post-compute, in seconds."""
        self._samples["appCompute"].append(app_s * 1000)
        self._samples["postCompute"].append(post_compute_s * 1000)
        self._samples["completeCompute"].append((app_s + post_compute_s) * 1000)

    def snapshot(self) -> dict[str, dict[str, float | int | None]]:
        """Return the documented JSON document (worker spec A.14)."""
        return {f"{name}Durations": _summary(samples) for name, samples in self._samples.items()}

    def collect(self) -> Iterator[Metric]:
        """Yield the documented series `iexec_<stage>_duration_<min|max|average|samples_count>`."""
        for name, series in _STAGES.items():
            summary = _summary(self._samples[name])
            for field, suffix in (
                ("minDuration", "min"),
                ("maxDuration", "max"),
                ("averageDuration", "average"),
                ("durationSamplesCount", "samples_count"),
            ):
                value = summary[field]
                yield GaugeMetricFamily(
                    f"iexec_{series}_duration_{suffix}",
                    f"{series} durations of the latest executions, milliseconds (count for samples_count)",
                    value=float("nan") if value is None else value,
                )


def _summary(samples: deque[float]) -> dict[str, float | int | None]:
    count = len(samples)
    return {
        "minDuration": min(samples) if count else None,
        "maxDuration": max(samples) if count else None,
        "averageDuration": sum(samples) / count if count else None,
        "durationSamplesCount": count,
    }
