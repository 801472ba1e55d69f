"""Shared by all tests: fixtures of a real database, a real chain and small volumes, and the report of figures."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from process_state import changes, process_state_kept, shared_state
from small_volumes import MountVolume, SmallVolume, VolumeRefused

pytest_plugins = ["workerpool_devnet.pytest_plugin"]

# Single examples take long on a busy machine; `--durations` shows slow tests instead of a deadline.
settings.register_profile("workerpool", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("workerpool")


@pytest.fixture(autouse=True)
def _process_state() -> Iterator[None]:
    """Keep what a test's command sets for its process from later tests: a hidden log level hides events from them.

    Fails a test that leaves other state of the process changed.
    """
    before = shared_state()
    with process_state_kept():
        yield
    if changed := changes(before):
        pytest.fail(
            "the test left changed for later ones: " + "; ".join(changed) + "; restore it, or use monkeypatch"
        )


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[MountVolume]:
    """Mount small volumes until the end of the test. Fails for root; skips loudly for a user who may not mount."""
    with contextlib.ExitStack() as stack:
        count = 0

        def mount(size: int, *, inodes: int = 0) -> SmallVolume:
            nonlocal count
            count += 1
            try:
                return stack.enter_context(
                    SmallVolume.mounted(tmp_path / f"volume-{count}", size, inodes=inodes)
                )
            except VolumeRefused as refused:
                if os.geteuid() == 0:
                    raise
                pytest.skip(f"NO SMALL VOLUME: this test of a full volume did not run: {refused}")

        yield mount


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every `record_property("figure", ...)` of the tests, from all processes."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(f"{value}")
