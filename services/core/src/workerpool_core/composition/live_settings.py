"""Settings that an operator changes while core runs: the file of WORKERPOOL_CORE_LIVE_FILE."""

from collections.abc import Callable

from workerpool_kit.settings import live_file
from workerpool_kit.settings.live_file import LiveFileError

from workerpool_core.settings import LIVE_VARIABLES, CoreSettings

__all__ = ["LiveFileError", "on_hangup", "read"]

_FILE = "WORKERPOOL_CORE_LIVE_FILE"


def read(settings: CoreSettings) -> CoreSettings:
    """Return the settings with the variables of the live file, if one is set. Raises LiveFileError."""
    return live_file.read_live(settings, settings.live_file, _FILE, LIVE_VARIABLES, same=_same)


def on_hangup(settings: CoreSettings, apply: Callable[[CoreSettings], None]) -> Callable[[], None]:
    """Pass the settings to `apply` on each SIGHUP; return a function that removes the handler."""
    return live_file.on_hangup(settings.live_file, _FILE, "core", lambda: read(settings), apply)


def _same(name: str, variable: str) -> bool:
    """Return whether two variables set the same value: a URL replaces its protocol, host and port."""
    prefix = "IEXEC_RESULT_REPOSITORY_"
    return name == variable or (name.startswith(prefix) and variable.startswith(prefix))
