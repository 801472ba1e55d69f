"""The lifecycle of a service process: settings, logging, event loop, signals, exit code.

Exit codes: 0 stopped on request, 1 could not start or crashed (one sentence on stderr), 2 unusable environment (one
line per problem on stderr), 128 + signal number after a second signal.
"""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import sys
import textwrap
import threading
from collections.abc import Awaitable, Callable, Coroutine
from importlib import metadata
from typing import Any, NoReturn, TypeVar

from workerpool_kit import logs
from workerpool_kit.metrics import build_info
from workerpool_kit.runtime import log_stream
from workerpool_kit.runtime.memory import return_freed_memory
from workerpool_kit.runtime.recursion import own_recursion_limit
from workerpool_kit.runtime.tasks import end_tasks, supervise_with
from workerpool_kit.settings.base import Settings
from workerpool_kit.settings.environment import SettingsError, ignored, load
from workerpool_kit.settings.outside import name_proxies
from workerpool_kit.settings.reference import settings_rows
from workerpool_kit.settings.secrets import exposed_files
from workerpool_kit.tls.cleartext import allow_cleartext
from workerpool_kit.tls.identity import TlsIdentity, identity, use_identity
from workerpool_kit.tls.material import TlsError, TlsFiles

S = TypeVar("S", bound=Settings)
log = logs.get_logger()

_PR_SET_DUMPABLE = 4
"""See prctl(2)."""
EXIT_OK, EXIT_FAILED, EXIT_SETTINGS = 0, 1, 2
_DESCRIPTORS = 65_536
"""Open files and connections that a service may need: each worker of a pool holds one connection."""
STOP_LIMIT_S = 10.0
"""Seconds between the request to stop and the cancellation of a service that has not ended."""
_THREADS_LIMIT_S = 15.0
"""Seconds after that until the end of the process, whatever its threads do."""
_LAST_LINES_S = 0.2


class StartupError(Exception):
    """The service cannot start. The message is one sentence for the operator: the cause and the next step."""


class Lifetime:
    """The request to stop, and the background tasks whose failure stops the process."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiters: set[asyncio.Task[Any] | None] = set()
        self.failure: BaseException | None = None
        self.stop_limit_s = STOP_LIMIT_S
        """Seconds that the service has to stop. A service whose work needs more time raises it."""

    async def stopped(self) -> None:
        """Wait until a signal, `stop` or `fail` requests the end of the process."""
        self._waiters.add(asyncio.current_task())
        await self._stop.wait()

    @property
    def stopping(self) -> bool:
        """True once a stop is requested."""
        return self._stop.is_set()

    def stop(self, reason: str) -> None:
        """Request a stop with exit code 0. Later calls have no effect."""
        if not self._stop.is_set():
            log.info("process.stop_requested", reason=reason)
            self._stop.set()

    def fail(self, exc: BaseException) -> None:
        """Request a stop with exit code 1 because of `exc`. Only the first failure is reported."""
        if self.failure is None:
            self.failure = exc
            if not isinstance(exc, StartupError):
                log.error("process.failed", error=repr(exc), exc_info=exc)
        self._stop.set()

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run `coro` until it or the process ends. If it raises, the process stops with exit code 1."""
        task = asyncio.create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def cancel_spawned(self) -> None:
        """Cancel every spawned task and wait for it; `run_service` does so after `serve` has returned."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        await end_tasks(*tasks)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (exc := task.exception()) is None:
            return
        self.task_failed(task.get_name(), exc)

    def task_failed(self, name: str, exc: BaseException) -> None:
        """Request a stop with exit code 1 because a background task ended with `exc`."""
        if self.stopping:
            # A task may fail because its dependencies close; that does not change the exit code.
            log.warning("process.task_failed_while_stopping", task=name, error=repr(exc))
            return
        log.error("process.task_crashed", task=name, error=repr(exc))
        self.fail(exc)

    def waits_for_stop(self, task: asyncio.Task[Any]) -> bool:
        """Return whether `task` has called `stopped`, so that it ends without being cancelled."""
        return task in self._waiters


Serve = Callable[[S, Lifetime], Awaitable[None]]
"""A composition root: starts every component, awaits `lifetime.stopped()`, closes every component in `finally`."""


def run_service(settings_type: type[S], serve: Serve[S], *, name: str, about: str) -> NoReturn:
    """Run a service as its console entry point: parse `--help` and `--version`, load settings, serve, exit."""
    log_stream.take_stderr()
    arguments = sys.argv[1:]
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(help_text(settings_type, name, about))
        sys.exit(EXIT_OK)
    if "--version" in arguments:
        sys.stdout.write(f"{name} {version_of(settings_type)}\n")
        sys.exit(EXIT_OK)
    if arguments:
        _print_error(
            f"{name}: unknown argument {arguments[0]}; settings are environment variables, see --help"
        )
        sys.exit(EXIT_SETTINGS)
    try:
        settings = load(settings_type)
    except SettingsError as error:
        _print_error(
            f"{name}: unusable environment; correct these variables:",
            *(f"  {problem}" for problem in error.problems),
        )
        sys.exit(EXIT_SETTINGS)
    logs.configure(name, settings.log_level)
    build_info(name, version_of(settings_type))
    _raise_descriptor_limit()
    _deny_core_dumps()
    own_recursion_limit()
    log.info(
        "process.launched",
        version=version_of(settings_type),
        pid=os.getpid(),
        recursion_limit=sys.getrecursionlimit(),
    )
    for variable, reason in ignored(settings_type).items():
        log.warning("setting.ignored", variable=variable, reason=reason)
    for file in exposed_files(settings):
        log.warning(
            "secret_file.exposed",
            variable=file.variable,
            path=str(file.path),
            mode=file.mode,
            problem="other users of this host can read it; run chmod 600 on it",
        )
    name_proxies(settings)
    allow_cleartext(settings.allow_cleartext)
    try:
        use_identity(TlsIdentity(_tls_files(settings)))
    except TlsError as error:
        _print_error(f"{name}: {error} (WORKERPOOL_TLS_CERTIFICATE, _KEY, _CA, _CLIENT_CA)")
        sys.exit(EXIT_SETTINGS)
    code = asyncio.run(_run(settings, serve, name))
    log.info("process.ended", code=code)
    sys.exit(code)


def _tls_files(settings: Settings) -> TlsFiles:
    return TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_ca, settings.tls_client_ca)


def _raise_descriptor_limit() -> None:
    """Raise the limit of open files as far as the system allows; the usual 1,024 only serves select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _deny_core_dumps() -> None:
    """Protect private keys from core dumps and from debuggers of the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # RLIMIT_CORE does not apply to a core pattern that pipes to a program; a process that is not dumpable has none.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


async def _run(settings: S, serve: Serve[S], name: str) -> int:
    lifetime = Lifetime()
    supervise_with(lifetime.task_failed)
    lifetime.spawn(return_freed_memory(), "memory")
    lifetime.spawn(identity().watch(), "certificates")
    remove_handlers = _handle_signals(lifetime)
    serving = asyncio.ensure_future(_as_coroutine(serve, settings, lifetime))
    stop_seen = asyncio.create_task(lifetime.stopped())
    try:
        await asyncio.wait({serving, stop_seen}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done() and not lifetime.waits_for_stop(serving):
            # It is still starting: its `finally` blocks close the open parts.
            serving.cancel()
        _end_at_latest(lifetime.stop_limit_s + _THREADS_LIMIT_S)
        await asyncio.wait({serving}, timeout=lifetime.stop_limit_s)
        if not serving.done():
            log.error("process.stop_timed_out", limit_s=lifetime.stop_limit_s)
            serving.cancel()
            await asyncio.wait({serving}, timeout=1)
        _record_outcome(serving, lifetime)
        stop_seen.cancel()
        lifetime.stop("serving ended")
        await asyncio.wait_for(lifetime.cancel_spawned(), STOP_LIMIT_S)
    finally:
        remove_handlers()
    if lifetime.failure is None:
        return EXIT_OK
    if isinstance(lifetime.failure, StartupError):
        log.error("process.start_failed", error=str(lifetime.failure))
        _print_error(f"{name}: {lifetime.failure}")
    else:
        _print_error(
            f"{name}: stopped by an unexpected {type(lifetime.failure).__name__}: {lifetime.failure}"
        )
    return EXIT_FAILED


async def _as_coroutine(serve: Serve[S], settings: S, lifetime: Lifetime) -> None:
    await serve(settings, lifetime)


def _record_outcome(serving: asyncio.Future[None], lifetime: Lifetime) -> None:
    if serving.done() and not serving.cancelled() and (failure := serving.exception()) is not None:
        lifetime.fail(failure)


def _end_at_latest(limit_s: float) -> None:
    """End the process after `limit_s` seconds, even if a thread that it waits for never ends."""

    def end() -> None:
        log.error("process.forced_to_end", limit_s=limit_s)
        _end_now(EXIT_FAILED)

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()


def _end_now(code: int) -> NoReturn:
    log_stream.drain(_LAST_LINES_S)
    os._exit(code)


def _handle_signals(lifetime: Lifetime) -> Callable[[], None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def on_signal(number: signal.Signals) -> None:
        if lifetime.stopping:
            log.warning("process.forced_to_end", signal=number.name)
            _end_now(128 + number)
        lifetime.stop(number.name)

    for number in signals:
        loop.add_signal_handler(number, on_signal, number)

    def remove() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    return remove


def help_text(settings_type: type[Settings], name: str, about: str) -> str:
    """Return the text of `--help`: purpose, settings and exit codes."""
    lines = [f"{name}: {about.strip()}", "", f"usage: {name} [--help | --version]", ""]
    lines.append("Settings are environment variables:")
    for variable, meaning, type_name, default in settings_rows(settings_type):
        lines.append(f"  {variable}  [{type_name}; default: {default}]")
        lines.extend(textwrap.wrap(meaning, 100, initial_indent="      ", subsequent_indent="      "))
    if settings_type.ignored_variables:
        lines += ["", "Documented variables without effect here:"]
        lines += [f"  {name}: {reason}" for name, reason in sorted(settings_type.ignored_variables.items())]
    lines += ["", "Exit codes: 0 stopped on request, 1 could not start or crashed, 2 unusable environment."]
    return "\n".join(lines) + "\n"


def version_of(settings_type: type[Settings]) -> str:
    """Return the version of the distribution that `settings_type` belongs to, "unknown" outside an installation."""
    package = settings_type.__module__.partition(".")[0]
    try:
        return metadata.version(package.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return "unknown"


def _print_error(*lines: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
