"""Measure dask.distributed with no-op tasks in memory, for comparison. Prints its figures as JSON.

Each round is a separate process, so that dask does not run while the scheduler is measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from typing import Any

import dask
from distributed import Client, LocalCluster, as_completed

from bench.report import FOLDER


def no_op(number: int) -> int:
    """Return the number of the task."""
    return number


def one_at_a_time(client: Client, count: int) -> list[float]:
    """Submit tasks one after the other; return the seconds of each."""
    latencies = []
    for number in range(count):
        started = time.perf_counter()
        result = client.submit(no_op, number, pure=False).result()
        latencies.append(time.perf_counter() - started)
        _check(result, number)
    return latencies


def many_in_flight(client: Client, count: int, in_flight: int) -> float:
    """Keep `in_flight` tasks in flight until `count` results are checked; return the seconds."""
    started = time.perf_counter()
    numbers: dict[Any, int] = {}

    def submit(number: int) -> Any:
        future = client.submit(no_op, number, pure=False)
        numbers[future.key] = number
        return future

    running = as_completed([submit(number) for number in range(in_flight)], with_results=True)
    following = iter(range(in_flight, count))
    for future, result in running:
        _check(result, numbers.pop(future.key))
        if (number := next(following, None)) is not None:
            running.add(submit(number))
    return time.perf_counter() - started


def _check(result: int, number: int) -> None:
    if result != number:
        raise SystemExit(f"dask answered {result} to task {number}")


def main() -> None:
    """Run one round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--singles", type=int, required=True)
    wanted = parser.parse_args()
    # The profiler and the dashboard cost time.
    dask.config.set(
        {"distributed.worker.profile.enabled": False, "distributed.admin.system-monitor.gil.enabled": False}
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=FOLDER) as scratch,
        dask.config.set({"temporary-directory": scratch}),
        LocalCluster(
            n_workers=wanted.processes,
            threads_per_worker=wanted.threads,
            processes=True,
            memory_limit=None,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
    ):
        many_in_flight(client, 4 * wanted.in_flight, wanted.in_flight)
        seconds = many_in_flight(client, wanted.count, wanted.in_flight)
        latencies = one_at_a_time(client, wanted.singles)
    print(json.dumps({"seconds": seconds, "latencies": latencies}))


if __name__ == "__main__":
    main()
