"""What the registry tells: the chain's configuration, and the SMS locations of a stack. Pure values."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

DEFAULT_STACK = "default"
"""Name of the stack that only application.yml describes."""

CURRENT_LABEL = ""
"""The label of the files in the folder itself."""


class TeeFramework(StrEnum):
    """TEE frameworks, as property files spell them after ``sms.``."""

    SCONE = "scone"
    GRAMINE = "gramine"
    TDX = "tdx"


@dataclass(frozen=True)
class ChainConfig:
    """The chain a pool works on; `block_time_s` in seconds."""

    chain_id: int
    sidechain: bool
    node_url: str
    hub_address: str
    block_time_s: float


def iso_duration(seconds: float) -> str:
    """Spell a duration under a minute as java.time.Duration does: 5.0 is ``PT5S``, 0.1 is ``PT0.1S``."""
    return f"PT{seconds:.3f}".rstrip("0").rstrip(".") + "S"


@dataclass(frozen=True)
class Property:
    """One value of a properties file and the line (from 1) it stands on."""

    value: str | int | float | bool | None
    line: int


@dataclass(frozen=True)
class PropertyFile:
    """One properties file, flattened to dotted keys; `path` is relative to the folder."""

    path: str
    properties: Mapping[str, Property]
    digest: str = ""

    def values(self) -> dict[str, object]:
        """Return key → value, as Spring clients read them."""
        return {key: each.value for key, each in self.properties.items()}


@dataclass(frozen=True)
class FileProblem:
    """Why a file cannot be used: `line` counts from 1, 0 when it concerns the whole file."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


@dataclass(frozen=True)
class Stack:
    """Where the SMS of each TEE framework of a stack is; `version` changes whenever a file of it does."""

    name: str
    label: str
    version: str = ""
    sms_locations: Mapping[TeeFramework, str] = field(default_factory=dict)


def problems_of(file: PropertyFile) -> list[FileProblem]:
    """Check what a stack's file says about SMS locations; other keys are the business of their readers."""
    problems = []
    for key, each in file.properties.items():
        section, _, framework = key.partition(".")
        if section != "sms":
            continue
        if framework not in tuple(TeeFramework):
            known = ", ".join(TeeFramework)
            problems.append(
                FileProblem(file.path, each.line, f"{key}: no such TEE framework (known: {known})")
            )
        elif not _is_http_url(each.value):
            problems.append(
                FileProblem(file.path, each.line, f"{key}: expected a URL such as http://host:port")
            )
    return problems


def stack_of(name: str, label: str, files: Iterable[PropertyFile]) -> Stack:
    """Merge a stack's files, the most specific one first, into its locations."""
    files = list(files)
    locations: dict[TeeFramework, str] = {}
    for file in reversed(files):
        for framework in TeeFramework:
            if (found := file.properties.get(f"sms.{framework}")) is not None:
                locations[framework] = str(found.value).rstrip("/")
    version = hashlib.sha256("".join(file.digest for file in files).encode()).hexdigest()[:16]
    return Stack(name, label, version, locations)


def _is_http_url(value: object) -> bool:
    try:
        parts = urlsplit(str(value))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
