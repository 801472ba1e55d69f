"""A test that leaves the process changed is named."""

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from process_state import changes, process_state_kept, shared_state


def leave_umask() -> Callable[[], object]:
    before = os.umask(0o027)
    return lambda: os.umask(before)


def leave_collector() -> Callable[[], object]:
    before = gc.get_threshold()
    gc.set_threshold(before[0] + 1)
    return lambda: gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("leave", "named"),
    [
        (leave_umask, "umask: was 'Umask:"),
        (leave_collector, "garbage collector: was"),
    ],
)
def test_changes_left_by_a_test_are_named(leave: Callable[[], Callable[[], object]], named: str) -> None:
    before = shared_state()
    restore = leave()
    try:
        (found,) = changes(before)
    finally:
        restore()
    assert found.startswith(named)
    assert changes(before) == []


def test_variables_and_the_working_folder_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = shared_state()
    monkeypatch.setenv("LEFT_BY_A_TEST", "1")
    monkeypatch.chdir(tmp_path)
    assert changes(before) == [
        "environment: LEFT_BY_A_TEST was None, is '1'",
        f"working folder: was {before['working folder']!r}, is {str(tmp_path)!r}",
    ]
    tmp_path.rmdir()
    assert "a folder that was removed" in changes(before)[1]


def test_hooks_of_threads_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shared_state()
    monkeypatch.setattr(threading, "excepthook", print)
    (found,) = changes(before)
    assert found.startswith("hooks of exceptions: ")


def test_what_a_command_or_a_library_sets_for_the_process_is_restored() -> None:
    arguments, level, log = sys.argv, logging.getLogger().level, structlog.get_config()
    depth, ignored = sys.getrecursionlimit(), signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    with process_state_kept():
        sys.argv = ["another"]
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)
        sys.setrecursionlimit(depth + 1)
        logging.getLogger().setLevel(logging.ERROR)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    assert signal.signal(signal.SIGUSR2, ignored) is signal.SIG_IGN
    restored: Any = (sys.argv, logging.getLogger().level, structlog.get_config(), sys.getrecursionlimit())
    assert restored == (arguments, level, log, depth)
