"""Measurements of the worker's work as Prometheus series: stages, apps, images."""

from prometheus_client import Counter, Gauge, Histogram
from workerpool_poco.protocol.causes import SIDES, ReplicateStatusCause

from workerpool_worker.domain.failures.app_exit import AppExit, ended_by
from workerpool_worker.domain.failures.stage_causes import CAUSES
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import (
    DockerUnavailable,
    HostNetworkUnavailable,
    HostStorageUnavailable,
    ImageUnavailable,
    PublicRegistryUnavailable,
    RegistryLoginRefused,
    RegistryUnavailable,
)

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200)

STAGE_SECONDS = Histogram(
    "workerpool_worker_stage_seconds",
    "Duration of stages of replicates that succeeded.",
    ["stage"],
    buckets=_SECONDS,
)
STAGE_FAILURES = Counter(
    "workerpool_worker_stage_failures",
    "Failures of stages of replicates, by cause and by the side that is at fault.",
    ["stage", "cause", "side"],
)
APP_EXITS = Counter(
    "workerpool_worker_app_exits",
    "Apps that ended, by exit code (-1 if it never ran) and by what ended them.",
    ["exit_code", "ended_by"],
)
PULLS = Counter("workerpool_worker_image_pulls", "Pulls of images, by outcome.", ["outcome"])
PULLED = "pulled"
"""The outcome of a pull that succeeded; that of another one is the reason of its error."""
_PULL_ERRORS = (
    ImageUnavailable,
    RegistryUnavailable,
    PublicRegistryUnavailable,
    RegistryLoginRefused,
    HostNetworkUnavailable,
    HostStorageUnavailable,
    DockerUnavailable,
)
PULL_SECONDS = Histogram(
    "workerpool_worker_image_pull_seconds", "Duration of pulls that succeeded.", buckets=_SECONDS
)
PULLED_BYTES = Counter("workerpool_worker_image_pulled_bytes", "Compressed bytes of images that arrived.")
IMAGES = Gauge("workerpool_worker_images", "Images on the engine that the worker pulled itself.")
IMAGE_BYTES = Gauge(
    "workerpool_worker_image_bytes", "Disk space of these images; a layer that several share counts for each."
)


def _create_series() -> None:
    """Create the series of each stage and cause: Prometheus sees no increase in a series that starts at 1."""
    for stage, causes in CAUSES.items():
        STAGE_SECONDS.labels(stage.value)
        for cause in causes:
            STAGE_FAILURES.labels(stage.value, cause.value, SIDES[cause].value)
    APP_EXITS.labels("0", ended_by(AppExit(0, 0.0)))
    for outcome in (PULLED, *(kind.reason for kind in _PULL_ERRORS)):
        PULLS.labels(outcome)


_create_series()


class PrometheusMeasures:
    """Implements the `Measures` port."""

    def stage_succeeded(self, stage: Stage, seconds: float) -> None:
        """Record that a stage succeeded after some seconds."""
        STAGE_SECONDS.labels(stage.value).observe(seconds)

    def stage_failed(self, stage: Stage, cause: ReplicateStatusCause) -> None:
        """Record that a stage failed."""
        STAGE_FAILURES.labels(stage.value, cause.value, SIDES[cause].value).inc()

    def app_ended(self, ended: AppExit) -> None:
        """Record the end of an app."""
        APP_EXITS.labels(str(ended.exit_code), ended_by(ended)).inc()
