"""The folder of one devnet run: claimed at the start, emptied at the end."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from workerpool_devnet.errors import OptionsError

_REMOVE_SECONDS = 3


def claim_run_folder(folder: Path) -> None:
    """Create the run folder, or accept one that holds nothing but `logs`.

    Raises `OptionsError` for a folder with other files, because the end of the run removes them.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        others = sorted(path.name for path in folder.iterdir() if path.name != "logs")
    except OSError as error:
        raise OptionsError(f"the run folder cannot be created: {error}; name another one") from error
    if others:
        raise OptionsError(
            f"the run folder {folder} holds {others[0]}, and the end of the run removes everything but logs: "
            "name a new folder, or one that holds only the logs of an earlier devnet"
        )


def remove_run_folder(folder: Path, *, keep_logs: bool) -> None:
    """Remove the run folder, or everything in it but `logs`.

    Retries for 3 seconds, because an ending process may still write.
    """
    deadline = time.monotonic() + _REMOVE_SECONDS
    while rest := _disposable(folder, keep_logs):
        for path in rest:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if time.monotonic() > deadline:
            return


def remove_path(path: Path) -> None:
    """Remove a file, or a folder that is empty."""
    if path.is_dir():
        with contextlib.suppress(OSError):
            path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _disposable(folder: Path, keep_logs: bool) -> list[Path]:
    if not folder.exists():
        return []
    return [path for path in folder.iterdir() if path.name != "logs"] if keep_logs else [folder]
