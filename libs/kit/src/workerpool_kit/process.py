"""The lifecycle of a service process: settings, logging, event loop, signals, exit code.

Exit codes: 0 stopped on request, 1 could not start or crashed (one sentence on stderr), 2 unusable environment (one
line per problem on stderr), 128 + signal number after a second signal.
"""

import asyncio
import os
import resource
import signal
import sys
import textwrap
from collections.abc import Awaitable, Callable, Coroutine
from importlib import metadata
from typing import Any, NoReturn, TypeVar

from workerpool_kit import logs
from workerpool_kit.settings.base import Settings
from workerpool_kit.settings.environment import SettingsError, ignored, load
from workerpool_kit.settings.reference import settings_rows

S = TypeVar("S", bound=Settings)
log = logs.get_logger()

EXIT_OK, EXIT_FAILED, EXIT_SETTINGS = 0, 1, 2
_DESCRIPTORS = 65_536
"""Open files and connections that a service may need: each worker of a pool holds one connection."""
STOP_LIMIT_S = 10.0
"""Seconds between the request to stop and the cancellation of a service that has not ended."""


class StartupError(Exception):
    """The service cannot start. The message is one sentence for the operator: the cause and the next step."""


class Lifetime:
    """The request to stop, and the background tasks whose failure stops the process."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiters: set[asyncio.Task[Any] | None] = set()
        self.failure: BaseException | None = None

    async def stopped(self) -> None:
        """Wait until the process is asked to stop by a signal, `stop` or `fail`."""
        self._waiters.add(asyncio.current_task())
        await self._stop.wait()

    @property
    def stopping(self) -> bool:
        """True once the process is asked to stop."""
        return self._stop.is_set()

    def stop(self, reason: str) -> None:
        """Ask the process to stop with exit code 0. Later calls have no effect."""
        if not self._stop.is_set():
            log.info("process.stopping", reason=reason)
            self._stop.set()

    def fail(self, exc: BaseException) -> None:
        """Ask the process to stop with exit code 1 because of `exc`. Only the first failure is reported."""
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
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (exc := task.exception()) is None:
            return
        if self.stopping:
            # A task may fail because its dependencies close; that does not change the exit code.
            log.warning("process.task_failed_while_stopping", task=task.get_name(), error=repr(exc))
            return
        log.error("process.task_crashed", task=task.get_name(), error=repr(exc))
        self.fail(exc)

    def waits_for_stop(self, task: asyncio.Task[Any]) -> bool:
        """Tell whether `task` has called `stopped`, so that it ends without being cancelled."""
        return task in self._waiters


Serve = Callable[[S, Lifetime], Awaitable[None]]
"""A composition root: starts every component, awaits `lifetime.stopped()`, closes every component in `finally`."""


def run_service(settings_type: type[S], serve: Serve[S], *, name: str, about: str) -> NoReturn:
    """Run a service as its console entry point: parse `--help` and `--version`, load settings, serve, exit."""
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
    _raise_descriptor_limit()
    log.info("process.starting", version=version_of(settings_type), pid=os.getpid())
    for variable, reason in ignored(settings_type).items():
        log.warning("setting.ignored", variable=variable, reason=reason)
    code = asyncio.run(_run(settings, serve, name))
    log.info("process.ended", code=code)
    sys.exit(code)


def _raise_descriptor_limit() -> None:
    """Raise the limit of open files as far as the system allows; the usual 1,024 only serves select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(settings: S, serve: Serve[S], name: str) -> int:
    lifetime = Lifetime()
    remove_handlers = _handle_signals(lifetime)
    serving = asyncio.ensure_future(_as_coroutine(serve, settings, lifetime))
    stop_seen = asyncio.create_task(lifetime.stopped())
    try:
        await asyncio.wait({serving, stop_seen}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done() and not lifetime.waits_for_stop(serving):
            # It is still starting: its `finally` blocks close what is open.
            serving.cancel()
        await asyncio.wait({serving}, timeout=STOP_LIMIT_S)
        if not serving.done():
            log.error("process.stop_took_too_long", limit_s=STOP_LIMIT_S)
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
        log.error("process.cannot_start", error=str(lifetime.failure))
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


def _handle_signals(lifetime: Lifetime) -> Callable[[], None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def on_signal(number: signal.Signals) -> None:
        if lifetime.stopping:
            log.warning("process.forced_to_end", signal=number.name)
            os._exit(128 + number)
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
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
