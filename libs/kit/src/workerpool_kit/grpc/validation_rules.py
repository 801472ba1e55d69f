"""The standard rules of `buf.validate` that the schemas use, as tests on values; unknown rules are refused."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

Test = Callable[[Any], bool]
"""Returns whether a value satisfies a rule."""

Maker = Callable[[Any], Test]
"""Returns the test for the parameter of a rule."""

_NUMBERS = {
    "float", "double", "int32", "int64", "uint32", "uint64", "sint32", "sint64",
    "fixed32", "fixed64", "sfixed32", "sfixed64",
}  # fmt: skip
_BOUNDS = {"lt", "lte", "gt", "gte"}
_FIELD_LEVEL = {"required", "ignore"}


class UnsupportedRule(Exception):
    """A schema uses a rule that `validation_rules` does not know; add it there or do not use it."""


def value_tests(field: FieldDescriptor, rules: Any) -> list[tuple[str, Test]]:
    """Return the tests for a field's value as (rule in words, test). Raises UnsupportedRule, naming the field."""
    tests: list[tuple[str, Test]] = []
    for part, value in rules.ListFields():
        if part.name in _FIELD_LEVEL:
            continue
        if part.containing_oneof is None or part.containing_oneof.name != "type":
            raise UnsupportedRule(f"{field.full_name}: {part.name} is not supported")
        tests += _typed_tests(field, part.name, value)
    return tests


def _typed_tests(field: FieldDescriptor, kind: str, rules: Any) -> list[tuple[str, Test]]:
    makers = _MAKERS.get(kind)
    if makers is None:
        raise UnsupportedRule(f"{field.full_name}: rules of type {kind} are not supported")
    tests: list[tuple[str, Test]] = []
    given = {part.name: value for part, value in rules.ListFields()}
    bounds = {name: given.pop(name) for name in _BOUNDS & set(given)} if kind in _ORDERED else {}
    if bounds:
        tests.append(_range(kind, bounds))
    for name, parameter in given.items():
        if name in ("example", "items", "keys", "values"):
            continue
        if kind == "enum" and name == "defined_only":
            known = frozenset(field.enum_type.values_by_number) if field.enum_type else frozenset()
            if parameter:
                tests.append(("must be a value of the enum", known.__contains__))
            continue
        if name not in makers:
            raise UnsupportedRule(f"{field.full_name}: {kind}.{name} is not supported")
        tests.append((f"{kind}.{name} = {_shown(parameter)}", makers[name](parameter)))
    return tests


def _range(kind: str, bounds: Mapping[str, Any]) -> tuple[str, Test]:
    as_key = _time_key if kind in ("duration", "timestamp") else _same
    low_name = "gt" if "gt" in bounds else "gte" if "gte" in bounds else None
    high_name = "lt" if "lt" in bounds else "lte" if "lte" in bounds else None
    low: Any = as_key(bounds[low_name]) if low_name else None
    high: Any = as_key(bounds[high_name]) if high_name else None
    words = " and ".join(f"{kind}.{name} = {_shown(value)}" for name, value in sorted(bounds.items()))

    def above(value: Any) -> bool:
        return bool(value > low if low_name == "gt" else value >= low)

    def below(value: Any) -> bool:
        return bool(value < high if high_name == "lt" else value <= high)

    if high_name is None:
        return words, lambda value: above(as_key(value))
    if low_name is None:
        return words, lambda value: below(as_key(value))
    if high < low:
        # An upper bound below the lower one means outside of both.
        return words, lambda value: above(as_key(value)) or below(as_key(value))
    return words, lambda value: above(as_key(value)) and below(as_key(value))


def _same(value: Any) -> Any:
    return value


def _time_key(value: Any) -> tuple[int, int]:
    return (value.seconds, value.nanos)


def _pattern(pattern: str) -> Test:
    """Search as RE2 does: ASCII classes, and `$` only at the end (Python's also matches before a last newline)."""
    python_pattern = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", lambda m: r"\Z" if m[0] == "$" else m[0], pattern)
    search = re.compile(python_pattern, re.ASCII).search
    return lambda value: search(value) is not None


def _byte_length(value: str) -> int:
    return len(value.encode())


def _is_in(allowed: Any) -> Test:
    return frozenset(allowed).__contains__


def _not_in(refused: Any) -> Test:
    known = frozenset(refused)
    return lambda value: value not in known


def _is_unique(wanted: bool) -> Test:
    return lambda values: not wanted or len(set(values)) == len(values)


_LENGTHS: dict[str, Maker] = {
    "len": lambda n: lambda value: len(value) == n,
    "min_len": lambda n: lambda value: len(value) >= n,
    "max_len": lambda n: lambda value: len(value) <= n,
}
_ONE_OF: dict[str, Maker] = {
    "const": lambda wanted: lambda value: value == wanted,
    "in": _is_in,
    "not_in": _not_in,
}
_AFFIXES: dict[str, Maker] = {
    "prefix": lambda prefix: lambda value: value.startswith(prefix),
    "suffix": lambda suffix: lambda value: value.endswith(suffix),
    "contains": lambda part: lambda value: part in value,
}
_MAKERS: dict[str, Mapping[str, Maker]] = {
    "string": {
        **_LENGTHS,
        **_ONE_OF,
        **_AFFIXES,
        "not_contains": lambda part: lambda value: part not in value,
        "len_bytes": lambda n: lambda value: _byte_length(value) == n,
        "min_bytes": lambda n: lambda value: _byte_length(value) >= n,
        "max_bytes": lambda n: lambda value: _byte_length(value) <= n,
        "pattern": _pattern,
    },
    "bytes": {**_LENGTHS, **_ONE_OF, **_AFFIXES},
    "bool": {"const": _ONE_OF["const"]},
    "enum": _ONE_OF,
    "repeated": {
        "min_items": _LENGTHS["min_len"],
        "max_items": _LENGTHS["max_len"],
        "unique": _is_unique,
    },
    "map": {"min_pairs": _LENGTHS["min_len"], "max_pairs": _LENGTHS["max_len"]},
    "duration": {},
    "timestamp": {},
    **dict.fromkeys(_NUMBERS, _ONE_OF),
}
_ORDERED = _NUMBERS | {"duration", "timestamp"}


def _shown(parameter: Any) -> str:
    if hasattr(parameter, "nanos"):
        return f"{parameter.seconds + parameter.nanos / 1e9:g} s"
    return (
        repr(list(parameter))
        if hasattr(parameter, "__iter__") and not isinstance(parameter, (str, bytes))
        else repr(parameter)
    )
