"""What any user of a machine sees of a process and its children: command lines, and the children's environment."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")


def process_texts(pid: int) -> dict[str, str]:
    """Return the command line of a process and all its descendants, and the environment of the descendants.

    The environment of the process itself is left out: its operator chose to put a secret there.
    """
    texts = {f"the command line of {pid}": _read(pid, "cmdline")}
    for child in _descendants(pid):
        texts[f"the command line of {child}, a child of {pid}"] = _read(child, "cmdline")
        texts[f"the environment of {child}, a child of {pid}"] = _read(child, "environ")
    return texts


def _descendants(pid: int) -> list[int]:
    found, unseen = [], [pid]
    while unseen:
        children = [
            int(child)
            for task in _PROC.glob(f"{unseen.pop()}/task/*/children")
            for child in _text(task).split()
        ]
        found += children
        unseen += children
    return found


def _read(pid: int, name: str) -> str:
    return _text(_PROC / str(pid) / name).replace("\0", " ")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # the process has ended
