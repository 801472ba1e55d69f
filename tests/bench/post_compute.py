"""Post-compute of a large result, beside a plain copy of the same bytes on the same disk. `make bench-post-compute`.

Both read the app's file from the disk, not from the page cache, and end when what they wrote is on the disk. The
worker's code also hashes the file, and packs it where that is worth it. It runs in a thread of a process of its own,
whose event loop ticks meanwhile as the worker's does. The rounds of both take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from workerpool_kit.runtime.threads import in_daemon_thread
from workerpool_poco.protocol.app_environment import IEXEC_OUT
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_poco.protocol.results import COMPUTED_FILE
from workerpool_worker.adapters.files.post_compute import make_result
from workerpool_worker.adapters.files.task_files import TaskFiles

from bench.command import run_and_exit
from bench.report import FOLDER, say, show, verdict, write

_TARGET_SHARE, _TARGET_GROWTH_MIB = 0.7, 64
_MIB = 1 << 20
_FILE = "result.bin"
_WARM_UP_MIB = 8
_TICK_S = 0.01
_WORDS, _PIECES = 4_096, 8

Content = Callable[[int], Iterator[bytes]]
"""Yields a number of mebibytes, one at a time."""


def noise(mebibytes: int) -> Iterator[bytes]:
    """Yield bytes that no packing makes smaller."""
    for _ in range(mebibytes):
        yield os.urandom(_MIB)


def text(mebibytes: int) -> Iterator[bytes]:
    """Yield lines of words, as a log or a table has them."""
    chosen = random.Random(1)
    words = [f"{chosen.getrandbits(40):x}"[: chosen.randint(2, 10)] for _ in range(_WORDS)]
    # Deflate looks 32 KiB back, so it does not see that the pieces come again.
    pieces = [
        " ".join(chosen.choices(words, k=_MIB // 6)).encode()[:_MIB].ljust(_MIB) for _ in range(_PIECES)
    ]
    for number in range(mebibytes):
        yield pieces[number % _PIECES]


CONTENTS: dict[str, Content] = {"noise": noise, "text": text}


@dataclass(frozen=True)
class Built:
    """One run of the worker's code: seconds, most memory of the process, longest pause of its loop in seconds."""

    seconds: float
    peak_bytes: int
    pause_s: float


@dataclass
class Rounds:
    """MiB per second by content and side, and what the process of the worker's code showed."""

    speeds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    growth_mib: float = 0.0
    pause_s: float = 0.0

    def share(self, content: str) -> float:
        """Return what post-compute reaches of the plain copy."""
        post_compute, copy = (statistics.median(self.speeds[content, side]) for side in ("worker", "copy"))
        return post_compute / copy


def build(folder: Path, mebibytes: int) -> Built:
    """Build the result of a task's folder as the worker does. Runs in the other process."""
    return asyncio.run(_build(TaskFiles(folder), mebibytes))


async def _build(files: TaskFiles, mebibytes: int) -> Built:
    rules = ArchiveRules(max_archive_bytes=2 * mebibytes * _MIB, max_unpacked_bytes=2 * mebibytes * _MIB)
    pauses = [0.0]

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(_TICK_S)
            pauses.append(time.monotonic() - began - _TICK_S)

    ticking = asyncio.create_task(tick())
    _leave_page_cache(files.iexec_out / _FILE)
    began = time.monotonic()
    result = await in_daemon_thread(lambda: make_result(files, callback=False, rules=rules))
    seconds = time.monotonic() - began
    ticking.cancel()
    assert result.digest, result
    files.archive.unlink()
    return Built(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, max(pauses))


def copy(source: Path, target: Path) -> float:
    """Copy a file from disk to disk, and return the seconds that it took."""
    _leave_page_cache(source)
    began = time.monotonic()
    with source.open("rb", buffering=0) as given, target.open("wb", buffering=0) as taken:
        while chunk := given.read(_MIB):
            taken.write(chunk)
        os.fsync(taken.fileno())
    seconds = time.monotonic() - began
    target.unlink()
    return seconds


def _leave_page_cache(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _make_output(folder: Path, content: Iterator[bytes]) -> TaskFiles:
    files = TaskFiles(folder)
    files.prepare_output()
    with (files.iexec_out / _FILE).open("wb") as file:
        file.writelines(content)
    (files.iexec_out / COMPUTED_FILE).write_text(f'{{"deterministic-output-path": "{IEXEC_OUT}/{_FILE}"}}')
    return files


async def bench(mebibytes: int, rounds: int, place: Path) -> int:
    """Run the rounds and print both rates; return the exit code."""
    measured = Rounds()
    place.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=place) as name,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
    ):
        for kind, content in CONTENTS.items():
            await asyncio.to_thread(
                _measure, process, Path(name) / kind, kind, content, mebibytes, rounds, measured
            )
    return _report(measured, mebibytes, rounds)


def _measure(
    process: ProcessPoolExecutor,
    folder: Path,
    kind: str,
    content: Content,
    mebibytes: int,
    rounds: int,
    measured: Rounds,
) -> None:
    small = _make_output(folder / "small", content(_WARM_UP_MIB))
    idle = process.submit(build, small.path, _WARM_UP_MIB).result().peak_bytes
    large = _make_output(folder / "large", content(mebibytes))
    for number in range(1, rounds + 1):
        for side in ("copy", "worker") if number % 2 else ("worker", "copy"):
            if side == "copy":
                seconds = copy(large.iexec_out / _FILE, folder / "copy")
            else:
                built = process.submit(build, large.path, mebibytes).result()
                seconds = built.seconds
                measured.growth_mib = max(measured.growth_mib, (built.peak_bytes - idle) / _MIB)
                measured.pause_s = max(measured.pause_s, built.pause_s)
            measured.speeds[kind, side].append(mebibytes / seconds)
        say(
            f"{kind}, round {number} of {rounds}: post-compute {measured.speeds[kind, 'worker'][-1]:.0f}, "
            f"copy {measured.speeds[kind, 'copy'][-1]:.0f} MiB/s"
        )
    (large.iexec_out / _FILE).unlink()


def _report(measured: Rounds, mebibytes: int, rounds: int) -> int:
    show(
        f"MiB per second of a result of {mebibytes} MiB, medians of {rounds} interleaved rounds",
        ["", "plain copy", "post-compute", "share"],
        [
            [
                kind,
                *(f"{statistics.median(measured.speeds[kind, side]):.0f}" for side in ("copy", "worker")),
                f"{measured.share(kind):.2f}",
            ]
            for kind in CONTENTS
        ],
    )
    met = {
        **{
            f"{kind}: at least {_TARGET_SHARE:g} of the plain copy": measured.share(kind) >= _TARGET_SHARE
            for kind in CONTENTS
        },
        f"memory grows by {measured.growth_mib:.0f} MiB, at most {_TARGET_GROWTH_MIB}": measured.growth_mib
        <= _TARGET_GROWTH_MIB,
    }
    show("Targets", ["", ""], [[name, verdict(holds)] for name, holds in met.items()])
    say(f"longest pause of the event loop: {measured.pause_s * 1_000:.0f} ms")
    figures = {
        "speeds": {" ".join(key): values for key, values in measured.speeds.items()},
        "shares": {kind: measured.share(kind) for kind in CONTENTS},
        "growth_mib": measured.growth_mib,
        "pause_s": measured.pause_s,
        "targets": met,
    }
    say(f"written to {write('post_compute', figures)}")
    return 0 if all(met.values()) else 1


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.post_compute", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds of each content")
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the result")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where the files are, on the disk to measure"
    )
    arguments = parser.parse_args()
    run_and_exit(bench(arguments.mebibytes, arguments.rounds, arguments.folder))


if __name__ == "__main__":
    main()
