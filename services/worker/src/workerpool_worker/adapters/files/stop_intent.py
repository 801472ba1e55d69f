"""What the operator said about the next stop of the worker: within which time it is back."""

from pathlib import Path

from workerpool_kit.settings.types import parse_duration

from workerpool_worker.adapters.files.atomic import replace_text

_NAME = "return-within"


def say_return_within(folder: Path, seconds: float) -> None:
    """Store within how many seconds the worker of a folder is back after its next stop. Raises OSError."""
    replace_text(folder / _NAME, f"{seconds}\n")


def withdraw_return_within(folder: Path) -> None:
    """Take back what was said about the next stop, because it did not come about. Raises OSError."""
    (folder / _NAME).unlink(missing_ok=True)


def take_return_within(folder: Path, default_s: float) -> float:
    """Return what was said about this stop, once; `default_s` when nothing readable was said."""
    path = folder / _NAME
    try:
        return parse_duration(path.read_text())
    except (OSError, ValueError):
        return default_s
    finally:
        path.unlink(missing_ok=True)
