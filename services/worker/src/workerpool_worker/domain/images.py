"""Names of app images: validation, pull time limit."""

import math
import re

from workerpool_worker.domain.fetching.registries import DOCKER_HUB, is_registry_host

MAX_NAME_CHARACTERS = 255
"""Longest name without tag and digest, as the engine limits it."""
_REGISTRY = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_SHOWN_CHARACTERS = 200
_HIGHEST_PORT = 65_535


class InvalidImageName(ValueError):
    """The app URI is not an image name the worker pulls. The message names the defect."""


def local_name(app_uri: str) -> str:
    """Return the name under which Docker stores an image, without the prefixes `docker.io/` and `library/`.

    Raises InvalidImageName if the name breaks the engine's grammar or has neither tag nor digest. An implicit `latest`
    would make two workers run different code for the same task.
    """
    name = app_uri.strip()
    rest, at, digest = name.partition("@")
    path, colon, tag = rest.rpartition(":") if ":" in rest.rpartition("/")[2] else (rest, "", "")
    defect = _path_defect(path)
    if not defect and colon and not _TAG.fullmatch(tag):
        defect = "its tag is malformed"
    if not defect and at and not _DIGEST.fullmatch(digest):
        defect = "its digest is malformed"
    if not defect and not colon and not at:
        defect = "it needs a tag or a digest"
    if defect:
        raise InvalidImageName(f"{_shown(app_uri)} is not an image that can be run: {defect}")
    for prefix in (f"{DOCKER_HUB}/", f"index.{DOCKER_HUB}/", "library/"):
        name = name.removeprefix(prefix)
    return name


def _path_defect(path: str) -> str:
    """Return what is wrong with an image's name without tag and digest; empty if nothing is."""
    if not path:
        return "it is empty"
    if len(path) > MAX_NAME_CHARACTERS:
        return f"it is longer than {MAX_NAME_CHARACTERS} characters"
    if "://" in path:
        return "it is a URL; write registry/name:tag"
    if path.startswith("/"):
        return "it is a path; write registry/name:tag"
    first, slash, others = path.partition("/")
    components = [first, *others.split("/")] if slash else [first]
    if slash and is_registry_host(first):
        registry = _REGISTRY.fullmatch(first)
        if registry is None or not 0 < int(registry["port"] or 1) <= _HIGHEST_PORT:
            return "its registry is malformed"
        components = components[1:]
    if path != path.lower() and any(each != each.lower() for each in components):
        return "it contains capital letters"
    if not all(_COMPONENT.fullmatch(each) for each in components):
        return "only a-z, 0-9 and single '.', '_', '-' between them are possible"
    return ""


def _shown(app_uri: str) -> str:
    text = ascii(app_uri)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def pull_limit_s(max_execution_s: float, minimum_s: float, maximum_s: float) -> float:
    """Return the time limit of a pull in seconds: 10 · log10(work time in minutes) minutes, within the bounds.

    A category of 5 minutes gets 7 minutes, one of 10 hours gets 28 minutes. If the minimum exceeds the maximum, the
    maximum applies.
    """
    minutes = round(10 * math.log10(max(max_execution_s / 60, 1.0)))
    return min(max(minutes * 60.0, minimum_s), maximum_s)
