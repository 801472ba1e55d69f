"""The kernel kills the processes of a container, without the engine."""

import subprocess
from pathlib import Path

import pytest
from workerpool_worker.adapters.cgroups import has_group, kill_processes, pause, resume

CONTAINER = "ab" * 32
PLACES = ["docker/{}", "system.slice/docker-{}.scope", "pids/docker/{}", "pids/system.slice/docker-{}.scope"]


def group(root: Path, place: str, content: str) -> None:
    folder = root / place.format(CONTAINER)
    folder.mkdir(parents=True)
    (folder / "cgroup.procs").write_text(content)


@pytest.mark.parametrize("place", PLACES)
def test_every_process_of_the_group_is_killed(tmp_path: Path, place: str) -> None:
    processes = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    group(tmp_path, place, "".join(f"{process.pid}\n" for process in processes))
    assert kill_processes(CONTAINER, tmp_path)
    assert [process.wait(10) for process in processes] == [-9, -9]


@pytest.mark.parametrize("place", PLACES)
def test_a_container_of_this_kernel_has_a_group(tmp_path: Path, place: str) -> None:
    assert not has_group(CONTAINER, tmp_path)
    group(tmp_path, place, "")
    assert has_group(CONTAINER, tmp_path)
    assert not has_group("cd" * 32, tmp_path)
    assert not has_group("..", tmp_path)


@pytest.mark.parametrize("content", ["", "0\n0\n", "1\n"], ids=["ended", "another namespace", "init"])
def test_nothing_is_killed_without_a_process_of_the_container(tmp_path: Path, content: str) -> None:
    group(tmp_path, PLACES[0], content)
    assert not kill_processes(CONTAINER, tmp_path)


@pytest.mark.parametrize("container", [CONTAINER, "..", "", "ab" * 6])
def test_an_unknown_container_has_no_processes(tmp_path: Path, container: str) -> None:
    assert not kill_processes(container, tmp_path)


SWITCHES = [
    ("docker/{}/cgroup.freeze", "1", "0"),
    ("system.slice/docker-{}.scope/cgroup.freeze", "1", "0"),
    ("freezer/docker/{}/freezer.state", "FROZEN", "THAWED"),
    ("freezer/system.slice/docker-{}.scope/freezer.state", "FROZEN", "THAWED"),
]


@pytest.mark.parametrize(("place", "on", "off"), SWITCHES)
def test_a_group_is_paused_and_resumed(tmp_path: Path, place: str, on: str, off: str) -> None:
    switch = tmp_path / place.format(CONTAINER)
    switch.parent.mkdir(parents=True)
    switch.write_text("")
    assert pause(CONTAINER, tmp_path)
    assert switch.read_text() == on
    switch.write_text("")
    assert resume(CONTAINER, tmp_path)
    assert switch.read_text() == off


@pytest.mark.parametrize("container", [CONTAINER, "..", "", "ab" * 6])
def test_an_unknown_container_cannot_be_paused(tmp_path: Path, container: str) -> None:
    assert not pause(container, tmp_path)
    assert not resume(container, tmp_path)


def test_a_kill_ends_a_pause(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    group(tmp_path, PLACES[0], f"{process.pid}\n")
    switch = tmp_path / PLACES[0].format(CONTAINER) / "cgroup.freeze"
    switch.write_text("1")
    assert kill_processes(CONTAINER, tmp_path)
    assert (process.wait(10), switch.read_text()) == (-9, "0")
