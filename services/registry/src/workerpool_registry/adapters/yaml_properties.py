"""Flattening of YAML text to dotted keys like Spring, with the line of each value."""

import math
from collections.abc import Iterator
from itertools import count

import yaml

from workerpool_registry.domain.property_file import Property, Scalar

_MAX_NODES = 10_000
_MAX_LEVELS = 64
_TOO_DEEP = "is nested too deeply, or in itself"


class UnusableText(Exception):
    """The text cannot be used; `line` counts from 1, and 0 means the whole text."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


def parse_properties(text: str) -> dict[str, Property]:
    """Return the values and lines by dotted key. Raises UnusableText for the first problem."""
    try:
        _check_depth(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise UnusableText(_line_of(root), "expected keys and values, such as sms.scone: URL")
        return dict(_flatten(root, "", count(1), 0))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise UnusableText(mark.line + 1 if mark else 0, error.problem or "is not YAML") from error
    except yaml.YAMLError as error:
        raise UnusableText(0, "is not YAML") from error


def _check_depth(text: str) -> None:
    """Raise UnusableText for text that nests too deeply, because composing it would exhaust the stack."""
    level = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if level > _MAX_LEVELS:
            raise UnusableText(event.start_mark.line + 1 if event.start_mark else 0, _TOO_DEEP)


def _flatten(
    node: yaml.Node, prefix: str, visits: Iterator[int], level: int
) -> Iterator[tuple[str, Property]]:
    """Yield dotted keys: nested maps join with a dot, list items with [index].

    A few lines of aliases can expand to more values than fit in memory, so `visits` bounds their number. An alias can
    also refer to a node that contains it, so `level` bounds the depth.
    """
    if next(visits) > _MAX_NODES:
        raise UnusableText(_line_of(node), f"expands to more than {_MAX_NODES} values; do not nest aliases")
    if level > _MAX_LEVELS:
        raise UnusableText(_line_of(node), _TOO_DEEP)
    if isinstance(node, yaml.MappingNode):
        seen = set[str]()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise UnusableText(_line_of(key), f"{name}: occurs twice")
            seen.add(name)
            yield from _flatten(value, f"{prefix}.{name}" if prefix else name, visits, level + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _flatten(value, f"{prefix}[{index}]", visits, level + 1)
    else:
        yield prefix, Property(_scalar(node), _line_of(node))


def _scalar(node: yaml.Node) -> Scalar:
    """Return a value that JSON can represent; dates and similar values keep their text."""
    try:
        value = yaml.SafeLoader("").construct_object(node)
        str(value).encode()
    except yaml.MarkedYAMLError:
        raise
    except (ValueError, KeyError) as error:
        text = f"not a usable value: {node.value[:80]!r}"
        raise UnusableText(_line_of(node), text) from error
    if isinstance(value, float) and not math.isfinite(value):
        return str(node.value)
    return value if isinstance(value, str | int | float | bool | None) else str(node.value)


def _line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
