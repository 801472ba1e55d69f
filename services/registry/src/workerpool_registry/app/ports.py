"""What the registry's use cases need from outside."""

from typing import Protocol

from workerpool_registry.domain.property_file import FileProblem, PropertyFile

Stamp = tuple[int, int]
"""Changes when a file is edited; compared for equality only."""


class PropertyFileError(Exception):
    """Files cannot be used; `problems` says where and why."""

    def __init__(self, problems: list[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class PropertySource(Protocol):
    """A tree of property files. Every method blocks: call it in a thread while the event loop runs."""

    def paths(self) -> list[str]:
        """Return the relative paths of all property files. Raises OSError while the source cannot be read."""

    def stamp(self, path: str) -> Stamp:
        """Return the present stamp of a file, (0, 0) when it is gone."""

    def read(self, path: str) -> PropertyFile:
        """Read and check one file. Raises PropertyFileError with every problem."""
