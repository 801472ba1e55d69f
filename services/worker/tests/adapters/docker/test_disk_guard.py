"""Disk space of apps: each way to write too much ends at the cap, and the host keeps its floor."""

import asyncio
import functools
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters.docker import disk_guard
from workerpool_worker.adapters.docker.disk_guard import TICK_S, DiskGuard, DiskWatch
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.written_places import WrittenPlaces
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.errors import AppCannotStart, DockerUnavailable, EngineRefused, HostStorageUnavailable

from services.worker.tests.harness.fixtures import MakePlan
from services.worker.tests.harness.waiting import Eventually

MIB = 1 << 20
CAP = 96 * MIB
RUN_LIMIT_S = 5 * PATIENCE_S
OVERSHOOT = 1 << 30
"""More than a disk takes in the time between two checks."""

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT ROOT: the disk of containers is only measured exactly by root"
)

FILLS = {
    "app-fills-disk": ("dd if=/dev/zero of=/x bs=1M count=10240", "outside /iexec_out"),
    "app-fills-disk-iexec-out": ("dd if=/dev/zero of=/iexec_out/x bs=1M count=10240", "to /iexec_out"),
    "app-fills-disk-tmp": ("dd if=/dev/zero of=/tmp/x bs=1M count=10240", "outside /iexec_out"),
    "app-fills-disk-parts": (
        "for i in $(seq 10240); do dd if=/dev/zero of=/iexec_out/$i bs=1M count=1 2>/dev/null; done",
        "to /iexec_out",
    ),
    "app-fills-disk-many-files": (
        "mkdir /iexec_out/d; cd /iexec_out/d; "
        "for i in $(seq 1000); do touch $i.0 $i.1 $i.2 $i.3 $i.4 $i.5 $i.6 $i.7 $i.8 $i.9 $i.a $i.b; done",
        "10000 files in /iexec_out",
    ),
    "app-fills-disk-deleted": (
        'for i in 3 4 5 6; do eval "exec $i>/gone"; rm /gone; dd if=/dev/zero bs=1M count=40 >&$i; done; sleep 600',
        "outside /iexec_out",
    ),
    "app-fills-disk-deleted-output": (
        'cd /iexec_out; for i in 3 4 5 6; do eval "exec $i>gone"; rm gone; dd if=/dev/zero bs=1M count=40 >&$i; '
        "done; sleep 600",
        "to /iexec_out",
    ),
    "app-fills-disk-and-ends-well": (
        "for i in 1 2 3; do dd if=/dev/zero of=/iexec_out/$i bs=1M count=40; done; exit 0",
        "to /iexec_out",
    ),
    "app-fills-disk-ignores-signal": (
        "trap '' XFSZ TERM INT; for i in $(seq 8); do dd if=/dev/zero of=/iexec_out/$i bs=1M count=10240; done",
        "to /iexec_out",
    ),
    "app-fills-disk-deep": (
        "cd /iexec_out; n=$(yes a | tr -d '\\n' | head -c 250); for i in $(seq 40); do mkdir $n; cd $n; done; "
        "dd if=/dev/zero of=x bs=1M count=1",
        "deeper than 4096",
    ),
}


@pytest.fixture
def plan(plan: MakePlan) -> MakePlan:
    """Make plans with memory for what an app has written and a busy disk has not taken yet."""
    return functools.partial(plan, limits=SlotLimits(1.0, 512 * MIB, 64))


@pytest.fixture
def capped(app_image: str, wallet: str) -> Iterator[DockerEngine]:
    """An engine whose apps may write little."""
    engine = DockerEngine(wallet, disk=DiskLimits(CAP, 0))
    yield engine
    engine.close()


def used_bytes(path: str = "/") -> int:
    space = os.statvfs(path)
    return (space.f_blocks - space.f_bfree) * space.f_frsize


@needs_root
@pytest.mark.parametrize("case", FILLS)
async def test_an_app_that_fills_the_disk_ends_at_the_cap(
    case: str, capped: DockerEngine, plan: MakePlan, tmp_path: Path
) -> None:
    script, place = FILLS[case]
    before = used_bytes()
    made = plan("/bin/sh", "-c", script)
    ended = await capped.run(await capped.create(made), RUN_LIMIT_S, new=True)
    assert place in ended.disk_excess
    assert (ended.exit_code, ended.timed_out) == (137, False)
    assert used_bytes() - before < CAP + OVERSHOOT


@needs_root
async def test_volumes_of_an_image_count(
    capped: DockerEngine, plan: MakePlan, app_image: str, docker_client: Any
) -> None:
    """Case app-fills-disk, sibling: a volume that the image declares is outside the writable layer."""
    name = f"workerpool-worker-tests:{uuid.uuid4().hex[:12]}"
    container = docker_client.containers.create(app_image, ["true"])
    container.commit(*name.split(":"), changes="VOLUME /data")
    container.remove()
    try:
        made = plan("/bin/sh", "-c", "dd if=/dev/zero of=/data/x bs=1M count=10240", image=name)
        ended = await capped.run(await capped.create(made), RUN_LIMIT_S, new=True)
        assert "outside /iexec_out" in ended.disk_excess
        await capped.remove(made.task_id)
    finally:
        docker_client.images.remove(name, force=True)


@pytest.mark.parametrize(
    "script",
    [
        "exit 0",
        "dd if=/dev/zero of=/iexec_out/x bs=1M count=60; dd if=/dev/zero of=/y bs=1M count=60",
        "truncate -s 90M /iexec_out/sparse; truncate -s 90M /iexec_out/sparse2",
        "dd if=/dev/zero of=/iexec_out/a bs=1M count=60; ln /iexec_out/a /iexec_out/b",
        "ln -s / /iexec_out/root",
    ],
    ids=["nothing", "each-place-has-its-own-share", "sparse", "hard-link", "link-to-the-root"],
)
async def test_an_app_within_the_cap_is_left_alone(script: str, capped: DockerEngine, plan: MakePlan) -> None:
    ended = await capped.run(await capped.create(plan("/bin/sh", "-c", script)), RUN_LIMIT_S, new=True)
    assert (ended.exit_code, ended.disk_excess) == (0, "")


async def test_a_sparse_file_is_not_larger_than_the_cap(
    capped: DockerEngine, plan: MakePlan, tmp_path: Path
) -> None:
    """Case app-fills-disk, sibling: the kernel refuses one file larger than the cap, whatever it allocates."""
    container = await capped.create(plan("/bin/sh", "-c", "truncate -s 5G /iexec_out/x"))
    assert (await capped.run(container, RUN_LIMIT_S, new=True)).exit_code != 0
    assert (tmp_path / "out" / "x").stat().st_size <= CAP


async def test_an_app_found_after_a_restart_is_watched(
    capped: DockerEngine, app_image: str, wallet: str, plan: MakePlan
) -> None:
    container = await capped.create(plan("/bin/sh", "-c", "dd if=/dev/zero of=/iexec_out/x bs=1M; sleep 600"))
    await capped._start(container)
    ended = await capped.run(container, RUN_LIMIT_S)
    assert "to /iexec_out" in ended.disk_excess


async def test_where_the_layer_is_not_visible_the_engine_measures_it(
    capped: DockerEngine, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker without root, or with an engine on another host, sees no writable layer."""
    real = WrittenPlaces.of

    def without_layer(details: dict[str, Any]) -> WrittenPlaces:
        return real(details | {"GraphDriver": {"Data": {}}})

    monkeypatch.setattr(WrittenPlaces, "of", without_layer)
    script = "for i in 1 2 3; do dd if=/dev/zero of=/tmp/$i bs=1M count=40; done; sleep 600"
    ended = await capped.run(await capped.create(plan("/bin/sh", "-c", script)), RUN_LIMIT_S, new=True)
    assert "outside /iexec_out" in ended.disk_excess


async def test_a_nearly_full_host_starts_no_app(app_image: str, wallet: str, plan: MakePlan) -> None:
    engine = DockerEngine(wallet, disk=DiskLimits(CAP, 1 << 60))
    with pytest.raises(HostStorageUnavailable, match="free disk space"):
        await engine.create(plan("/bin/true"))
    engine.close()


async def test_a_host_that_filled_up_since_the_creation_starts_no_app(
    capped: DockerEngine, plan: MakePlan, docker_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container is created while the files of its task arrive."""
    container = await capped.create(plan("/bin/sleep", "600"))
    monkeypatch.setattr(capped._guard, "_limits", DiskLimits(CAP, 1 << 60))
    with pytest.raises(HostStorageUnavailable, match="free disk space"):
        await capped.run(container, RUN_LIMIT_S, new=True)
    assert docker_client.containers.get(container).status == "created"


async def test_a_host_that_fills_up_ends_the_app_without_blaming_it(
    capped: DockerEngine, app_image: str, wallet: str, plan: MakePlan
) -> None:
    container = await capped.create(plan("/bin/sleep", "600"))
    full = DockerEngine(wallet, disk=DiskLimits(CAP, 1 << 60))
    with pytest.raises(HostStorageUnavailable, match="free disk space"):
        await full.run(container, RUN_LIMIT_S, new=True)
    full.close()


async def test_a_kill_while_the_app_starts_is_not_blamed_on_it(
    capped: DockerEngine, wallet: str, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """runc tells a kill during the start as an error of the container's init process."""
    container = await capped.create(plan("/bin/sleep", "600"))
    full = DockerEngine(wallet, disk=DiskLimits(CAP, 1 << 60))
    killed = asyncio.Event()

    async def kill(_: str) -> None:
        killed.set()

    async def run_killed(*_: Any, **__: Any) -> None:
        await killed.wait()
        raise AppCannotStart("error during container init")

    monkeypatch.setattr(full._guard, "_kill", kill)
    monkeypatch.setattr(full, "_run", run_killed)
    with pytest.raises(HostStorageUnavailable, match="free disk space"):
        await full.run(container, RUN_LIMIT_S, new=True)
    full.close()


async def test_an_idle_app_is_not_measured_again(tmp_path: Path, eventually: Eventually) -> None:
    measured, looked = 0, 0

    async def inspect(container: str) -> dict[str, Any]:
        nonlocal looked
        looked += 1
        return {"State": {"Pid": 1}, "GraphDriver": {"Data": {"UpperDir": str(tmp_path)}}}

    class Counting(DiskGuard):
        async def _measure(self, watch: DiskWatch) -> None:
            nonlocal measured
            measured += 1
            await super()._measure(watch)

    async def no_engine(container: str) -> int:
        raise AssertionError("the layer is visible")

    async def never(container: str) -> None:
        raise AssertionError("the app is within its limits")

    guard = Counting(DiskLimits(1 << 60, 0), inspect=inspect, layer_bytes=no_engine, kill=never)
    async with guard.watched("c") as watch:
        await eventually(lambda: measured)
        await asyncio.sleep(5 * TICK_S)  # The subject: what happens in five ticks.
        assert (measured, looked) == (1, 1)
        assert watch.excess == ""


class Unasked:
    """A guard over one folder, which counts how often it asks the engine about the container."""

    def __init__(self, folder: Path, limits: DiskLimits) -> None:
        self.asked, self.killed = 0, list[str]()
        self._folder = folder
        self.guard = DiskGuard(limits, inspect=self._inspect, layer_bytes=self._layer_bytes, kill=self._kill)

    async def _inspect(self, container: str) -> dict[str, Any]:
        self.asked += 1
        return {"State": {"Pid": 1}, "GraphDriver": {"Data": {"UpperDir": str(self._folder)}}}

    async def _layer_bytes(self, container: str) -> int:
        return 0

    async def _kill(self, container: str) -> None:
        self.killed.append(container)


async def test_the_engine_is_not_asked_about_a_young_app_that_writes_little(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Unasked(tmp_path, DiskLimits(1 << 60, 0))
    start = await made.guard.check_room([tmp_path])
    assert start is not None
    monkeypatch.setattr(disk_guard, "_FIRST_MEASUREMENT_S", PATIENCE_S)
    async with made.guard.watched("c", start):
        await asyncio.sleep(3 * TICK_S)  # The subject: what happens in three ticks.
        assert made.asked == 0
        monkeypatch.setattr(disk_guard, "_FIRST_MEASUREMENT_S", 0.0)
        await eventually(lambda: made.asked == 1)
    assert made.killed == []


async def test_a_young_app_is_measured_once_its_host_holds_much_more(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_guard, "_FIRST_MEASUREMENT_S", PATIENCE_S)
    made = Unasked(tmp_path, DiskLimits(8 * MIB, 0))
    async with made.guard.watched("c", await made.guard.check_room([tmp_path])):
        (tmp_path / "file").write_bytes(os.urandom(64 * MIB))
        await eventually(lambda: made.killed == ["c"])


async def test_an_app_whose_folders_are_not_seen_here_is_measured_from_the_start(tmp_path: Path) -> None:
    made = Unasked(tmp_path, DiskLimits(1 << 60, 0))
    assert await made.guard.check_room([tmp_path, tmp_path / "elsewhere"]) is None


async def test_a_kill_that_fails_is_repeated(tmp_path: Path, eventually: Eventually) -> None:
    killed: list[str] = []

    async def inspect(container: str) -> dict[str, Any]:
        return {"State": {"Pid": 1}, "GraphDriver": {"Data": {"UpperDir": str(tmp_path)}}}

    async def layer_bytes(container: str) -> int:
        return 0

    async def kill(container: str) -> None:
        killed.append(container)
        if len(killed) == 1:
            raise DockerUnavailable("the Docker engine does not answer")

    (tmp_path / "file").write_bytes(b"x" * 2 * MIB)
    guard = DiskGuard(DiskLimits(MIB, 0), inspect=inspect, layer_bytes=layer_bytes, kill=kill)
    async with guard.watched("c") as watch:
        await eventually(lambda: len(killed) == 2)
        assert "limit of 1 MiB" in watch.excess


async def test_only_the_app_with_the_largest_usage_is_ended(tmp_path: Path, eventually: Eventually) -> None:
    killed: list[str] = []
    for name, size in (("small", 1), ("large", 3)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x" * size * MIB)

    async def inspect(container: str) -> dict[str, Any]:
        return {"State": {"Pid": 1}, "GraphDriver": {"Data": {"UpperDir": str(tmp_path / container)}}}

    async def layer_bytes(container: str) -> int:
        return 0

    async def kill(container: str) -> None:
        killed.append(container)

    guard = DiskGuard(DiskLimits(1 << 40, 1 << 60), inspect=inspect, layer_bytes=layer_bytes, kill=kill)
    guard._next_relief = time.monotonic() + 1  # Both are measured before one must free space.
    async with guard.watched("small"), guard.watched("large") as large:
        await eventually(lambda: killed)
        assert killed == ["large"]
        with pytest.raises(HostStorageUnavailable):
            await guard.conclude(large, await inspect("large"))


@pytest.mark.parametrize("failure", [EngineRefused("no sizes here"), DockerUnavailable("away")])
async def test_an_ended_app_is_judged_unmeasured_only_if_the_engine_will_never_measure_it(
    failure: EngineRefused | DockerUnavailable,
) -> None:
    """While it is away the stage is tried again: an app that wrote too much must not pass for that."""

    async def layer_bytes(container: str) -> int:
        raise failure

    async def never(container: str) -> None:
        raise AssertionError("the app has ended")

    async def inspect(container: str) -> dict[str, Any]:
        raise AssertionError("its description is given")

    guard = DiskGuard(DiskLimits(MIB, 0), inspect=inspect, layer_bytes=layer_bytes, kill=never)
    ended = {"State": {"Pid": 0}, "GraphDriver": {"Data": {}}}
    if isinstance(failure, EngineRefused):
        assert await guard.conclude(DiskWatch("c"), ended) == ""
    else:
        with pytest.raises(DockerUnavailable):
            await guard.conclude(DiskWatch("c"), ended)
