"""Reading settings from the environment: completely checked, with every problem named by its variable."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from workerpool_kit.settings.base import Variables, aliases_of, is_secret, variable_of

S = TypeVar("S", bound=Variables)

_COLLECTIONS = (list, tuple, set, frozenset)


class SettingsError(Exception):
    """The environment cannot be used; `problems` holds one line per problem, each starting with the variable's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load(cls: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Build `cls` from `environ` (default: the process environment).

    Raises SettingsError with every problem found.
    """
    environ = os.environ if environ is None else environ
    problems = list(_unknown_variables(cls, environ))
    values: dict[str, Any] = {}
    unreadable: set[str] = set()
    for field_name, info in cls.model_fields.items():
        try:
            found = _read(info, environ)
        except ValueError as problem:
            problems.append(str(problem))
            unreadable.add(field_name)
            continue
        if found is not None:
            values[field_name] = _split(found) if _is_collection(info.annotation) else found
    try:
        settings = cls(**values)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False):
            if not error["loc"] or error["loc"][0] not in unreadable:
                problems.append(_explain(cls, error["loc"], error["type"], error["msg"]))
    else:
        if not problems:
            return settings
    raise SettingsError(sorted(problems))


def ignored(cls: type[Variables], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that are set although they have no effect on `cls`, each with reason and successor."""
    environ = os.environ if environ is None else environ
    return {name: reason for name, reason in cls.ignored_variables.items() if environ.get(name)}


def _names(info: FieldInfo) -> list[str]:
    return [variable_of(info), *aliases_of(info)]


def _read(info: FieldInfo, environ: Mapping[str, str]) -> str | None:
    """Return the text of one setting, None when unset; raise ValueError when two sources contradict."""
    given = {name: environ[name] for name in _names(info) if environ.get(name)}
    if is_secret(info):
        for name in _names(info):
            path = environ.get(f"{name}_FILE")
            if path:
                given[f"{name}_FILE"] = _file_content(f"{name}_FILE", path)
    if len(given) > 1 and (is_secret(info) or len(set(given.values())) > 1):
        raise ValueError(f"{variable_of(info)}: set only one of {' and '.join(given)}")
    return next(iter(given.values()), None)


def _file_content(variable: str, path: str) -> str:
    try:
        content = Path(path).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ValueError(f"{variable}: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{variable}: {path} is not UTF-8 text") from None
    if not content:
        raise ValueError(f"{variable}: {path} is empty")
    return content


def _unknown_variables(cls: type[Variables], environ: Mapping[str, str]) -> Iterator[str]:
    known = set(cls.ignored_variables)
    for info in cls.model_fields.values():
        for name in _names(info):
            known |= {name, f"{name}_FILE"} if is_secret(info) else {name}
    for name in environ:
        if name.startswith(cls.own_prefixes or ("\0",)) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            yield f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else "")


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _is_collection(annotation: Any) -> bool:
    return get_origin(annotation) in _COLLECTIONS or any(
        get_origin(part) in _COLLECTIONS for part in get_args(annotation)
    )


def _explain(cls: type[Variables], loc: tuple[int | str, ...], kind: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not loc or loc[0] not in cls.model_fields:
        # A check over several settings names them itself.
        return message if not loc else f"{loc[0]}: {message}"
    info = cls.model_fields[str(loc[0])]
    if kind == "missing":
        meaning = f" ({info.description})" if info.description else ""
        return f"{variable_of(info)}: not set, and there is no default{meaning}"
    return f"{variable_of(info)}: {message}"
