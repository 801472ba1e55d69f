"""The reference of a service's settings, for `--help` and for documentation."""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from workerpool_kit.settings.base import Variables, aliases_of, is_secret, variable_of
from workerpool_kit.settings.types import TypeName

_WORDS: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    SecretStr: "secret",
    Path: "path",
}


def settings_table(cls: type[Variables]) -> str:
    """Return the Markdown table of all variables of `cls`: variable, meaning, type, default."""
    lines = ["| Variable | Meaning | Type | Default |", "|---|---|---|---|"]
    for variable, meaning, type_name, default in settings_rows(cls):
        shown = f"`{default}`" if default and not default.startswith("(") else default
        escaped = meaning.replace("|", "\\|")
        lines.append(f"| `{variable}` | {escaped} | {type_name} | {shown} |")
    declared = {variable_of(info) for info in cls.model_fields.values()}
    lines += [
        f"| `{name}` | No effect: {reason} | | |"
        for name, reason in sorted(cls.ignored_variables.items())
        if name not in declared
    ]
    return "\n".join(lines) + "\n"


def settings_rows(cls: type[Variables]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (variable, meaning, type, default) for every setting of `cls`, the default as one would write it."""
    for info in sorted(cls.model_fields.values(), key=variable_of):
        meaning = info.description or ""
        if aliases_of(info):
            meaning += f" (older name: {', '.join(aliases_of(info))})"
        if is_secret(info):
            meaning += f"; or {variable_of(info)}_FILE, a file that holds it"
        yield variable_of(info), meaning, _type_name(info), _default_text(info)


def _type_name(info: FieldInfo) -> str:
    named = [part.text for part in info.metadata if isinstance(part, TypeName)]
    return named[0] if named else _annotation_name(info.annotation)


def _annotation_name(annotation: Any) -> str:
    named = [part.text for part in getattr(annotation, "__metadata__", ()) if isinstance(part, TypeName)]
    if named:
        return named[0]
    origin = get_origin(annotation)
    arguments = [part for part in get_args(annotation) if part not in (type(None), ...)]
    if origin is Annotated:
        return _annotation_name(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_annotation_name(part) for part in arguments)
    if origin is Literal:
        return ", ".join(str(part) for part in arguments)
    if origin in (list, tuple, set, frozenset):
        return f"comma-separated list of {_annotation_name(arguments[0])}"
    return _WORDS.get(annotation) or str(getattr(annotation, "__name__", annotation))


def _default_text(info: FieldInfo) -> str:
    default = info.get_default(call_default_factory=False)
    if info.is_required() or default is PydanticUndefined:
        return "(required)"
    if default is None or default in ("", (), frozenset()) or default == []:
        return "(none)"
    if is_secret(info):
        return "(set)" if default.get_secret_value() else "(none)"
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, (list, tuple, set, frozenset)):
        return ",".join(str(item) for item in default)
    return str(default)
