"""How a host is divided among concurrent apps."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HostDivision:
    """The runtime of apps, and the resources that each holds exclusively."""

    runtime: str = ""
    """The engine's runtime of apps; empty means the engine's own default."""
    processors: tuple[str, ...] = ()
    """Processors that are given exclusively to apps, one each; empty means that all apps share all processors."""
    gpus: tuple[str, ...] = ()
    """GPUs that are given exclusively to apps that require some, by the engine's ids."""
    resolv_conf: Path | None = None
    """File that apps get as /etc/resolv.conf; None means the engine's, which names the engine's own name server."""


def own_processors(allowed: Collection[int], slots: int) -> tuple[str, ...]:
    """Return the processors to give to apps, the highest first, so that the lowest stay free for the host.

    Empty if there are fewer than slots: no app can have one for itself then.
    """
    return tuple(str(number) for number in sorted(allowed, reverse=True)) if len(allowed) >= slots else ()
