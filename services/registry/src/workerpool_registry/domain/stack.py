"""Stacks: the SMS locations of a platform, merged from its property files."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from workerpool_registry.domain.property_file import FileProblem, PropertyFile

DEFAULT_STACK = "default"
"""Name of the stack that only application.yml describes."""

CURRENT_LABEL = ""
"""The label of the files in the folder itself."""

_SHARED_FILE = "application.yml"
_VERSION_DIGITS = 16


class TeeFramework(StrEnum):
    """TEE frameworks, in the spelling of property files after `sms.`."""

    SCONE = "scone"
    GRAMINE = "gramine"
    TDX = "tdx"


@dataclass(frozen=True)
class Stack:
    """SMS locations (HTTP URLs) of one stack; `version` changes with each change of its files."""

    name: str
    label: str
    version: str = ""
    sms_locations: Mapping[TeeFramework, str] = field(default_factory=dict)


def file_names(stack: str) -> list[str]:
    """Return the names of the files that describe a stack, the most specific one first."""
    return [_SHARED_FILE] if stack in ("", DEFAULT_STACK) else [f"application-{stack}.yml", _SHARED_FILE]


def problems_of(file: PropertyFile) -> list[FileProblem]:
    """Return the problems of the SMS locations of a file; other keys belong to other readers."""
    problems = []
    for key, each in file.properties.items():
        section, _, framework = key.partition(".")
        if section != "sms":
            continue
        if framework not in tuple(TeeFramework):
            known = ", ".join(TeeFramework)
            text = f"{key}: no such TEE framework (known: {known})"
            problems.append(FileProblem(file.path, each.line, text))
        elif not _is_http_url(each.value):
            text = f"{key}: expected a URL such as http://host:port"
            problems.append(FileProblem(file.path, each.line, text))
    return problems


def merge_stack(name: str, label: str, files: Iterable[PropertyFile]) -> Stack:
    """Return the stack merged from its files, of which the most specific comes first."""
    files = list(files)
    locations: dict[TeeFramework, str] = {}
    for file in reversed(files):
        for framework in TeeFramework:
            if (found := file.properties.get(f"sms.{framework}")) is not None:
                locations[framework] = str(found.value).rstrip("/")
    digests = "".join(file.digest for file in files)
    version = hashlib.sha256(digests.encode()).hexdigest()[:_VERSION_DIGITS]
    return Stack(name, label, version, locations)


def _is_http_url(value: object) -> bool:
    try:
        parts = urlsplit(str(value))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
