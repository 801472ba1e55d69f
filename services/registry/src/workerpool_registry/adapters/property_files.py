"""Reads Spring-style YAML property files from a folder, remembering the line of every value."""

import hashlib
import math
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import yaml

from workerpool_registry.domain.catalogue import FileProblem, Property, PropertyFile, problems_of

_PATTERNS = ("application.yml", "application-*.yml")
_MOST_NODES = 10_000
_MOST_LEVELS = 64
_TOO_DEEP = "is nested too deeply, or in itself"


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
        properties = _properties(content.decode())
    except OSError as error:
        raise PropertyFileError([FileProblem(path, 0, error.strerror or "cannot be read")]) from error
    except UnicodeDecodeError as error:
        raise PropertyFileError([FileProblem(path, 0, "is not UTF-8 text")]) from error
    except _BadLine as error:
        raise PropertyFileError([FileProblem(path, error.line, error.text)]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 0
        raise PropertyFileError([FileProblem(path, line, error.problem or "is not YAML")]) from error
    except yaml.YAMLError as error:
        raise PropertyFileError([FileProblem(path, 0, "is not YAML")]) from error
    except RecursionError as error:
        raise PropertyFileError([FileProblem(path, 0, _TOO_DEEP)]) from error
    file = PropertyFile(path, properties, hashlib.sha256(content).hexdigest())
    if problems := problems_of(file):
        raise PropertyFileError(problems)
    return file


class _BadLine(Exception):
    """What stands on a line cannot be used."""

    def __init__(self, node: yaml.Node, text: str) -> None:
        super().__init__(text)
        self.line: int = node.start_mark.line + 1
        self.text = text


def _properties(text: str) -> dict[str, Property]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise _BadLine(root, "expected keys and values, such as sms.scone: URL")
    return dict(_flatten(root, "", count(1), 0))


def _flatten(
    node: yaml.Node, prefix: str, visits: Iterator[int], level: int
) -> Iterator[tuple[str, Property]]:
    """Yield dotted keys as Spring builds them: nested maps join with a dot, list items with [index].

    Aliases are followed, and a few lines of them can stand for more values than any memory holds, hence `visits`;
    an alias can also stand for what it is in, hence `level`.
    """
    if next(visits) > _MOST_NODES:
        raise _BadLine(node, f"stands for more than {_MOST_NODES} values; are aliases nested?")
    if level > _MOST_LEVELS:
        raise _BadLine(node, _TOO_DEEP)
    if isinstance(node, yaml.MappingNode):
        seen = set[str]()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise _BadLine(key, f"{name}: given twice")
            seen.add(name)
            yield from _flatten(value, f"{prefix}.{name}" if prefix else name, visits, level + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _flatten(value, f"{prefix}[{index}]", visits, level + 1)
    else:
        yield prefix, Property(_scalar(node), node.start_mark.line + 1)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    """Return a value as JSON can hold it; dates and the like stay the text that they are in the file."""
    try:
        value = yaml.SafeLoader("").construct_object(node)
        str(value).encode()
    except yaml.MarkedYAMLError:
        raise
    except (ValueError, KeyError) as error:
        raise _BadLine(node, f"not a value that can be used: {node.value[:80]!r}") from error
    if isinstance(value, float) and not math.isfinite(value):
        return str(node.value)
    return value if isinstance(value, str | int | float | bool | None) else str(node.value)
