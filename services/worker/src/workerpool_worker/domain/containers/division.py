"""How a host is divided among the apps that run on it at the same time."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HostDivision:
    """What apps run with, and what each of them has for itself."""

    runtime: str = ""
    """The engine's runtime of apps; empty means the engine's own default."""
    processors: tuple[str, ...] = ()
    """Processors of which each app gets its own; empty means that all apps share all processors."""
    gpus: tuple[str, ...] = ()
    """GPUs of which each app that asks for some gets its own, by the ids that the engine knows."""
    resolv_conf: Path | None = None
    """File that apps get as /etc/resolv.conf; None means the engine's, which names the engine's own name server."""


def own_processors(allowed: Collection[int], slots: int) -> tuple[str, ...]:
    """Return the processors to give to apps, the highest first, so that the lowest stay free for the host.

    Empty if there are fewer than slots: no app can have one for itself then.
    """
    return tuple(str(number) for number in sorted(allowed, reverse=True)) if len(allowed) >= slots else ()
