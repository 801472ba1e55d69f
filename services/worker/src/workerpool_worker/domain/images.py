"""Names of app images: validation, registry, pull time limit."""

import math
import re

DOCKER_HUB = "docker.io"

_REFERENCE = re.compile(
    r"(?P<name>(?:\w[\w.-]*(?::\d+)?/)?\w[\w.-]*(?:/\w[\w.-]*)*)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


class InvalidImageName(ValueError):
    """The app URI is not an image name the worker pulls. The message names the defect."""


def local_name(app_uri: str) -> str:
    """Return the name under which Docker stores an image, without the prefixes `docker.io/` and `library/`.

    Raises InvalidImageName if the name is malformed or has neither tag nor digest. An implicit `latest` would make
    two workers run different code for the same task.
    """
    name = app_uri.strip()
    match = _REFERENCE.fullmatch(name)
    if not match:
        raise InvalidImageName(f"not an image name: {name[:200]!r}")
    if not match["tag"] and not match["digest"]:
        raise InvalidImageName(f"the image name needs a tag or a digest: {name[:200]!r}")
    for prefix in (f"{DOCKER_HUB}/", f"index.{DOCKER_HUB}/", "library/"):
        name = name.removeprefix(prefix)
    return name


def registry_of(image: str) -> str:
    """Return the registry host of an image: its first path segment if that is a host name, else Docker Hub."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else DOCKER_HUB


def pull_limit_s(max_execution_s: float, minimum_s: float, maximum_s: float) -> float:
    """Return the time limit of a pull in seconds: 10 · log10(work time in minutes) minutes, within the bounds.

    A category of 5 minutes gets 7 minutes, one of 10 hours gets 28 minutes. If the minimum exceeds the maximum, the
    maximum applies.
    """
    minutes = round(10 * math.log10(max(max_execution_s / 60, 1.0)))
    return min(max(minutes * 60.0, minimum_s), maximum_s)
