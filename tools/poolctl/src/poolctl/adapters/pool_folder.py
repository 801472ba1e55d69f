"""The pool's folder: its `.env`, and the files with its secrets."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from poolctl.errors import UnusableSettings


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of an env file, without those that have no value; empty without a file.

    Values are read as docker compose reads them: quotes, `export`, and `${NAME}` of the file and the environment.
    Raises UnusableSettings for a file that cannot be read.
    """
    try:
        if not path.is_file():
            return {}
        return {name: value for name, value in dotenv_values(path, encoding="utf-8").items() if value}
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UnusableSettings(
            f"{path} cannot be read: {reason}", "correct its owner and mode, or its content"
        ) from error


def write_private(path: Path, content: str) -> None:
    """Replace a file at once with content that only this user can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def exposed(paths: Mapping[str, Path]) -> dict[str, str]:
    """Return the files that other users of this host can read, with their modes, by path."""
    found = {}
    for path in paths.values():
        try:
            mode = path.stat().st_mode & 0o777
        except OSError:
            continue
        if mode & 0o044:
            found[str(path)] = f"{mode:04o}"
    return found
