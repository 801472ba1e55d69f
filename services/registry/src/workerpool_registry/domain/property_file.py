"""Property files as values: dotted keys with their lines, and problems."""

from collections.abc import Mapping
from dataclasses import dataclass

Scalar = str | int | float | bool | None
"""A value that JSON can represent."""


@dataclass(frozen=True)
class Property:
    """One value of a property file and its line, counted from 1."""

    value: Scalar
    line: int


@dataclass(frozen=True)
class PropertyFile:
    """One property file, flattened to dotted keys; `path` is relative to the folder, `digest` is its SHA-256."""

    path: str
    properties: Mapping[str, Property]
    digest: str = ""

    def values(self) -> dict[str, Scalar]:
        """Return the values by key, in the form of Spring clients."""
        return {key: each.value for key, each in self.properties.items()}


@dataclass(frozen=True)
class FileProblem:
    """Why a file cannot be used; `line` counts from 1, and 0 means the whole file."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"
