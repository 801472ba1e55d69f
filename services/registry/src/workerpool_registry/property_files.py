"""Reads Spring-style YAML property files from a folder, remembering the line of every value."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import yaml

from workerpool_registry.domain import FileProblem, Property, PropertyFile, problems_of

_PATTERNS = ("application.yml", "application-*.yml")


class PropertyFileError(Exception):
    """A file cannot be used; `problems` says where and why."""

    def __init__(self, problems: list[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def property_file_paths(folder: Path) -> list[str]:
    """Return the paths, relative to `folder`, of all property files outside hidden folders."""
    found = {path.relative_to(folder) for pattern in _PATTERNS for path in folder.rglob(pattern)}
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))


def read_property_file(folder: Path, path: str) -> PropertyFile:
    """Read and check one file; raises PropertyFileError with every problem and its line."""
    try:
        content = (folder / path).read_bytes()
        root = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
    except OSError as error:
        raise PropertyFileError([FileProblem(path, 0, error.strerror or "cannot be read")]) from error
    except UnicodeDecodeError as error:
        raise PropertyFileError([FileProblem(path, 0, "is not UTF-8 text")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 0
        raise PropertyFileError([FileProblem(path, line, error.problem or "is not YAML")]) from error
    except yaml.YAMLError as error:
        raise PropertyFileError([FileProblem(path, 0, "is not YAML")]) from error
    properties: dict[str, Property] = {}
    if root is not None:
        if not isinstance(root, yaml.MappingNode):
            line = root.start_mark.line + 1
            raise PropertyFileError(
                [FileProblem(path, line, "expected keys and values, such as sms.scone: URL")]
            )
        properties = dict(_flatten(root, ""))
    file = PropertyFile(path, properties, hashlib.sha256(content).hexdigest())
    if problems := problems_of(file):
        raise PropertyFileError(problems)
    return file


def _flatten(node: yaml.Node, prefix: str) -> Iterator[tuple[str, Property]]:
    """Yield dotted keys as Spring builds them: nested maps join with a dot, list items with [index]."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            yield from _flatten(value, f"{prefix}.{name}" if prefix else name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _flatten(value, f"{prefix}[{index}]")
    else:
        yield prefix, Property(_scalar(node), node.start_mark.line + 1)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    value = yaml.SafeLoader("").construct_object(node)
    return value if isinstance(value, str | int | float | bool | None) else str(node.value)
