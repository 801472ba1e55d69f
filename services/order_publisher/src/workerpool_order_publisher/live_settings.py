"""Settings that change while the publisher runs: prices, pause and restrictions in ORDER_PUBLISHER_LIVE_FILE."""

from collections.abc import Callable

from workerpool_kit.process import StartupError
from workerpool_kit.settings import live_file
from workerpool_kit.settings.live_file import LiveFileError

from workerpool_order_publisher.settings import LIVE_VARIABLES, OrderPublisherSettings

_FILE = "ORDER_PUBLISHER_LIVE_FILE"
_PRICE = "WORKERPOOL_PRICE"


def read(settings: OrderPublisherSettings) -> OrderPublisherSettings:
    """Return the settings with the variables of the live file, if one is configured. Raises LiveFileError."""
    return live_file.read_live(settings, settings.live_file, _FILE, LIVE_VARIABLES, same=_same)


def read_at_start(settings: OrderPublisherSettings) -> OrderPublisherSettings:
    """Call `read` and return its settings. Raises StartupError."""
    try:
        return read(settings)
    except LiveFileError as error:
        raise StartupError(str(error)) from error


def on_hangup(
    settings: OrderPublisherSettings, apply: Callable[[OrderPublisherSettings], None]
) -> Callable[[], None]:
    """Pass the settings to `apply` on each SIGHUP; return a function that stops this."""
    return live_file.on_hangup(settings.live_file, _FILE, "the publisher", lambda: read(settings), apply)


def _same(name: str, variable: str) -> bool:
    """Return whether two variables replace each other: a price replaces a range, and a range a price."""
    return name == variable or (name.startswith(_PRICE) and variable.startswith(_PRICE))
