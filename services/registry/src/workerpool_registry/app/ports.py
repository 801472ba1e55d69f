"""The ports of the registry's use cases."""

from typing import Protocol

from workerpool_registry.domain.property_file import FileProblem, PropertyFile

Stamp = tuple[int, int]
"""A value that changes with each edit of a file; compared for equality only."""


class PropertyFileError(Exception):
    """Files cannot be used, for the reasons and at the lines in `problems`."""

    def __init__(self, problems: list[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class PropertySource(Protocol):
    """A tree of property files; every method blocks, so call it in a thread while the event loop runs."""

    def paths(self) -> list[str]:
        """Return the relative paths of all property files. Raises OSError while the source cannot be read."""

    def stamp(self, path: str) -> Stamp:
        """Return the current stamp of a file; (0, 0) when it is missing."""

    def read(self, path: str) -> PropertyFile:
        """Read and check one file. Raises PropertyFileError with every problem."""
