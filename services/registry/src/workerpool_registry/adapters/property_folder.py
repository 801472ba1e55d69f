"""The `PropertySource` port over a folder of YAML files."""

import hashlib
from pathlib import Path

from workerpool_registry.adapters.yaml_properties import UnusableText, parse_properties
from workerpool_registry.app.ports import PropertyFileError, Stamp
from workerpool_registry.domain.property_file import FileProblem, PropertyFile
from workerpool_registry.domain.stack import problems_of

_PATTERNS = ("application.yml", "application-*.yml")


class PropertyFolder:
    """The property files of a folder and its sub-folders, without hidden folders; a sub-folder is a label."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paths(self) -> list[str]:
        """Return the relative paths of all property files. Raises OSError when the folder is missing."""
        # rglob finds nothing in a missing folder, which would look like a folder without files.
        self._folder.stat()
        found = {
            path.relative_to(self._folder) for pattern in _PATTERNS for path in self._folder.rglob(pattern)
        }
        return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))

    def stamp(self, path: str) -> Stamp:
        """Return the modification time (ns) and size (bytes) of a file; (0, 0) when it is missing."""
        try:
            status = (self._folder / path).stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)

    def read(self, path: str) -> PropertyFile:
        """Read and check one file. Raises PropertyFileError with each problem and its line."""
        try:
            content = (self._folder / path).read_bytes()
            properties = parse_properties(content.decode())
        except OSError as error:
            raise PropertyFileError([FileProblem(path, 0, error.strerror or "cannot be read")]) from error
        except UnicodeDecodeError as error:
            raise PropertyFileError([FileProblem(path, 0, "is not UTF-8 text")]) from error
        except UnusableText as error:
            raise PropertyFileError([FileProblem(path, error.line, error.text)]) from error
        file = PropertyFile(path, properties, hashlib.sha256(content).hexdigest())
        if problems := problems_of(file):
            raise PropertyFileError(problems)
        return file
