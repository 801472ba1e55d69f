"""Reads compose files as Docker Compose does, as far as this repository's files go: variables, anchors, overlays."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pool_env.env_file import parse

ROOT = Path(__file__).resolve().parents[2]
POOL, WORKER = ROOT / "compose.yaml", ROOT / "deploy/worker/compose.yaml"
OVERLAYS = tuple(sorted((ROOT / "deploy").glob("compose.*.yaml")))
WORKER_OVERLAYS = tuple(sorted((ROOT / "deploy/worker").glob("compose.*.yaml")))
FILES = (POOL, WORKER, *OVERLAYS, *WORKER_OVERLAYS)
_START = re.compile(r"\$(?:\{(?P<name>\w+)(?P<operator>:-|:\?|:\+)?|(?P<escaped>\$))")


class _Loader(yaml.SafeLoader):
    """Knows the tags with which an overlay replaces a list instead of adding to it."""


class Replaced(list[Any]):
    """A list with the tag `!reset` or `!override`."""


def _replaced(loader: yaml.SafeLoader, node: yaml.Node) -> Replaced:
    assert isinstance(node, yaml.SequenceNode)
    return Replaced(loader.construct_sequence(node, deep=True))


for _tag in ("!reset", "!override"):
    _Loader.add_constructor(_tag, _replaced)


class MissingVariable(Exception):
    """A variable without a default is not set."""


def example() -> dict[str, str]:
    """Return the variables of .env.example."""
    return parse((ROOT / ".env.example").read_text())


def raw(path: Path) -> dict[str, Any]:
    """Return the content of a compose file with its variables as they are written."""
    content = yaml.load(path.read_text(), _Loader)
    assert isinstance(content, dict)
    return content


def load(values: Mapping[str, str], *paths: Path) -> dict[str, Any]:
    """Return the content of compose files with these variables, each file laid over the one before it."""
    merged: dict[str, Any] = {}
    for path in paths:
        merged = _merge(merged, _interpolated(raw(path), values))
    return merged


def variables(path: Path) -> set[str]:
    """Return the names of the variables of a compose file."""
    return {name for text in _texts(raw(path)) for name in _names(text)}


def defaults(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each variable that a compose file gives a default, with it as it is written."""
    for text in _texts(raw(path)):
        position = 0
        while found := _START.search(text, position):
            position = found.end()
            if found["operator"] == ":-":
                yield found["name"], text[position : _end(text, position)]


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its variables replaced. Raises MissingVariable."""
    parts: list[str] = []
    position = 0
    while found := _START.search(text, position):
        parts.append(text[position : found.start()])
        if found["escaped"]:
            parts.append("$")
            position = found.end()
            continue
        end = _end(text, found.end())
        parts.append(_value(found, text[found.end() : end], values))
        position = end + 1
    return "".join([*parts, text[position:]])


def _value(found: re.Match[str], argument: str, values: Mapping[str, str]) -> str:
    value = values.get(found["name"], "")
    match found["operator"]:
        case ":-":
            return value or interpolate(argument, values)
        case ":+":
            return interpolate(argument, values) if value else ""
        case ":?" if not value:
            raise MissingVariable(f"{found['name']}: {argument}")
    return value


def _end(text: str, start: int) -> int:
    """Return the position of the brace that closes the variable whose argument begins at `start`."""
    depth = 1
    for position in range(start, len(text)):
        depth += (text[position] == "{") - (text[position] == "}")
        if depth == 0:
            return position
    raise AssertionError(f"no closing brace in {text}")


def _names(text: str) -> Iterator[str]:
    for found in _START.finditer(text):
        if found["name"]:
            yield found["name"]


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def _interpolated(content: Any, values: Mapping[str, str]) -> Any:
    if isinstance(content, str):
        return interpolate(content, values)
    if isinstance(content, dict):
        return {
            key: _interpolated(value, values) for key, value in content.items() if not key.startswith("x-")
        }
    if isinstance(content, list):
        return type(content)(_interpolated(value, values) for value in content)
    return content


def _merge(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _merge(below.get(key), value) for key, value in above.items()}
    if isinstance(below, list) and isinstance(above, list) and not isinstance(above, Replaced):
        return below + above
    return above
