"""Durations as JSON and as Prometheus series."""

import math

from workerpool_worker.adapters.stage_durations import StageDurations


def test_the_document_covers_the_latest_executions_in_milliseconds() -> None:
    durations = StageDurations(window=2)
    for app_s in (9.0, 1.0, 2.0):
        durations.record(app_s, 0.5)
    snapshot = durations.snapshot()
    assert snapshot["appComputeDurations"] == {
        "minDuration": 1000.0,
        "maxDuration": 2000.0,
        "averageDuration": 1500.0,
        "durationSamplesCount": 2,
    }
    assert snapshot["completeComputeDurations"]["averageDuration"] == 2000.0


def test_without_executions_values_are_null_and_series_nan() -> None:
    durations = StageDurations(window=2)
    assert durations.snapshot()["preComputeDurations"]["minDuration"] is None
    series = {metric.name: metric.samples[0].value for metric in durations.collect()}
    assert math.isnan(series["iexec_app_compute_duration_min"])
    assert series["iexec_app_compute_duration_samples_count"] == 0
