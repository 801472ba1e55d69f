"""Settings that an operator changes while a process runs: a file of variables, read at the start and on SIGHUP."""

import asyncio
import operator
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from workerpool_kit.logs import get_logger
from workerpool_kit.settings.base import Settings
from workerpool_kit.settings.environment import SettingsError, load

S = TypeVar("S", bound=Settings)
log = get_logger()


class LiveFileError(Exception):
    """The file of live settings cannot be used; the message names each problem."""


def read_live(
    settings: S,
    path: Path | None,
    variable: str,
    live: Sequence[str],
    *,
    same: Callable[[str, str], bool] = operator.eq,
) -> S:
    """Return the settings of the environment with the variables of a file, or `settings` without a file.

    Raises LiveFileError.

    Args:
        settings: the settings of the environment.
        path: file with one NAME=value per line; # begins a comment line.
        variable: the variable that names the file.
        live: the variables that the file may set.
        same: whether a variable of the environment is replaced by one of the file.
    """
    if path is None:
        return settings
    changed = _variables(path, variable, live)
    replaced = {name for found in changed for name in live if same(name, found)}
    environ = {name: value for name, value in os.environ.items() if name not in replaced} | changed
    try:
        return load(type(settings), environ)
    except SettingsError as error:
        raise LiveFileError("; ".join(map(str, error.problems))) from error


def on_hangup(
    path: Path | None, variable: str, process: str, read: Callable[[], S], apply: Callable[[S], None]
) -> Callable[[], None]:
    """Pass what `read` returns to `apply` on each SIGHUP; return a function that ends this.

    A file that `read` refuses with LiveFileError changes nothing and is logged, as is a signal without a file.
    """
    loop = asyncio.get_running_loop()

    def reload() -> None:
        if path is None:
            log.warning(
                "configuration.reload_ignored",
                reason=f"no file of live settings is set; set {variable} and restart {process}",
            )
            return
        try:
            changed = read()
        except LiveFileError as error:
            log.error("configuration.reload_refused", error=str(error), kept="the configuration in force")
            return
        log.info("configuration.reloaded", file=str(path))
        apply(changed)

    loop.add_signal_handler(signal.SIGHUP, reload)

    def stop() -> None:
        loop.remove_signal_handler(signal.SIGHUP)

    return stop


def _variables(path: Path, variable: str, live: Sequence[str]) -> dict[str, str]:
    """Return the variables of a file. Raises LiveFileError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LiveFileError(f"{path} cannot be read: {error}; check {variable}") from error
    found = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator or name.strip() not in live:
            raise LiveFileError(f"{path}, line {number}: expected NAME=value with one of {', '.join(live)}")
        found[name.strip()] = value.strip()
    return found
