"""Log events with fields: readable in a terminal, one JSON object per line elsewhere, secrets redacted.

Usage: `log = get_logger(); log.info("task.finalized", task=task_id)`.
"""

import contextlib
import logging
import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

# structlog loads rich and pygments if installed: 0.05 s of CPU per process for a traceback style that
# shows local variables and so secrets, and is never used here. None makes its optional import fail.
_rich = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

if _rich is None:
    del sys.modules["rich"]
else:
    sys.modules["rich"] = _rich

get_logger = structlog.get_logger

_HIDDEN = "***"
_SECRET_WORDS = ("password", "passwd", "private_key", "privatekey", "secret", "authorization")
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def configure(service: str, level: str = "INFO") -> None:
    """Configure logging to stderr for the whole process, libraries that use `logging` included.

    Every event carries `service`. Records of libraries below WARNING are dropped unless `level` is DEBUG.
    """
    threshold = logging.getLevelNamesMapping()[level]
    structlog.reset_defaults()
    # A pretty traceback would show local variables, so keys and passwords.
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr is not None and sys.stderr.isatty()
        else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _named(service),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_StderrLogger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_FromLogging()]
    root.setLevel(threshold if threshold <= logging.DEBUG else max(threshold, logging.WARNING))
    logging.captureWarnings(True)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of keys that name secrets, at any depth, and the credentials in URLs."""
    for key, value in event.items():
        event[key] = _HIDDEN if _names_secret(key) else _redacted(value)
    return event


@lru_cache(maxsize=1_024)
def _names_secret(key: str) -> bool:
    lower = key.lower()
    return lower == "token" or lower.endswith("_token") or any(word in lower for word in _SECRET_WORDS)


def without_credentials(text: str) -> str:
    """Return a text with the credentials of the URLs in it replaced."""
    return _CREDENTIALS_IN_URL.sub(_HIDDEN, text) if "://" in text else text


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, dict):
        return {k: _HIDDEN if _names_secret(str(k)) else _redacted(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item) for item in value]
    return value


def _named(service: str) -> Any:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return add


class _StderrLogger:
    """Writes whole lines to the current stderr; a line that cannot be written is dropped.

    In a service it is a `LogStream`, which also counts dropped lines. A test may have replaced it.
    """

    def __init__(self, *_names: Any) -> None:
        pass

    def msg(self, message: str) -> None:
        # OSError: full volume, closed pipe. ValueError, AttributeError: stderr is closed or was never open.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(message + "\n")
            sys.stderr.flush()

    debug = info = warning = warn = error = critical = exception = fatal = log = msg


class _FromLogging(logging.Handler):
    """Turns records of the standard `logging` module into events."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            structlog.get_logger().log(
                record.levelno,
                "library.message",
                logger=record.name,
                message=record.getMessage(),
                exc_info=record.exc_info,
            )
        except Exception:
            self.handleError(record)
