"""The state of the process, which all tests of the process share.

What a command or a library sets for its whole process is restored after each test. Anything else that a test leaves
changed fails it: the order of the tests would decide what later ones meet.
"""

import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog
from workerpool_kit.tls.cleartext import allow_cleartext
from workerpool_kit.tls.identity import identity, use_identity

_OF_PYTEST = "PYTEST_"
_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
    signal.SIGPIPE,
)


@contextmanager
def process_state_kept() -> Iterator[None]:
    """Restore log, TLS identity, arguments, recursion limit, signal handlers and leave to send credentials in clear."""
    log, root, own, arguments = structlog.get_config(), logging.getLogger(), identity(), sys.argv
    handlers, level, depth = list(root.handlers), root.level, sys.getrecursionlimit()
    signals = {each: signal.getsignal(each) for each in _SIGNALS}
    allowed = allow_cleartext(False)
    allow_cleartext(allowed)
    try:
        yield
    finally:
        allow_cleartext(allowed)
        use_identity(own)
        logging.captureWarnings(False)
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**log)
        sys.argv = arguments
        # py_ecc raises it to 100,000 in whichever test first imports it.
        sys.setrecursionlimit(depth)
        # asyncio gives a signal back to its default, also one that was ignored, such as SIGHUP below nohup.
        for each, handler in signals.items():
            if signal.getsignal(each) is not handler:
                signal.signal(each, handler)


def _environment() -> object:
    return {name: value for name, value in os.environ.items() if not name.startswith(_OF_PYTEST)}


def _folder() -> object:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "a folder that was removed"


def _umask() -> object:
    # os.umask tells the mask only by changing it, for every thread.
    status = Path("/proc/self/status").read_text()
    return next((line for line in status.splitlines() if line.startswith("Umask")), "unknown")


def _collector() -> object:
    return gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() > 0


_SHARED: Mapping[str, Callable[[], object]] = {
    "environment": _environment,
    "working folder": _folder,
    "umask": _umask,
    "garbage collector": _collector,
    "hooks of exceptions": lambda: (sys.excepthook, threading.excepthook),
    "default timeout of sockets": socket.getdefaulttimeout,
    "time zone": lambda: time.tzname,
    "locale": lambda: locale.setlocale(locale.LC_ALL),
}


def shared_state() -> dict[str, object]:
    """Return the state of the process that no command of ours sets, by name."""
    return {name: read() for name, read in _SHARED.items()}


def changes(before: Mapping[str, object]) -> list[str]:
    """Return what differs from an earlier state, a sentence each."""
    after = shared_state()
    return [
        f"{name}: {_difference(before[name], after[name])}" for name in before if before[name] != after[name]
    ]


def _difference(before: object, after: object) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        return ", ".join(f"{name} was {before.get(name)!r}, is {after.get(name)!r}" for name in names)
    return f"was {before!r}, is {after!r}"
