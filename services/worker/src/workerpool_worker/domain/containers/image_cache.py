"""Which of the worker's own images may be removed: the record of their use, and their order."""

from collections.abc import Iterable
from dataclasses import dataclass

JUST_USED_S = 600.0
"""An image that a task was given so recently may have no container yet, which would protect it."""


@dataclass(frozen=True, slots=True)
class OwnImage:
    """An image that this worker pulled. Times are Unix seconds."""

    name: str
    image_id: str
    """Id at the time of the pull: with another id, the name now refers to another image."""
    used_at: float
    size_bytes: int = 0
    """Bytes on the disk; 0 in a record of an older version."""


def expired(images: Iterable[OwnImage], now: float, keep_s: float) -> list[OwnImage]:
    """Return the images that no task used for `keep_s` seconds."""
    return [image for image in images if now - image.used_at > max(keep_s, JUST_USED_S)]


def oldest_first(images: Iterable[OwnImage], now: float) -> list[OwnImage]:
    """Return the images that may be removed to free space, the least recently used first."""
    idle = [image for image in images if now - image.used_at > JUST_USED_S]
    return sorted(idle, key=lambda image: (image.used_at, image.name))
