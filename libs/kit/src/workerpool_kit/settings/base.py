"""Settings read from the documented environment variables, checked completely before a service starts.

A service subclasses `Settings`, names every variable with `env` or `secret`, and gets from `load` either a frozen
object or one `SettingsError` that lists every problem, each line starting with the name of the variable to change.
"""

import difflib
import os
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port, TypeName, Url, parse_duration

__all__ = [
    "DurationSeconds",
    "EthAddress",
    "MongoSettings",
    "Port",
    "Settings",
    "SettingsError",
    "Url",
    "env",
    "load",
    "parse_duration",
    "secret",
    "settings_table",
]

S = TypeVar("S", bound="Settings")
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class SettingsError(Exception):
    """The environment cannot be used; `problems` holds one line per problem, each starting with the variable's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def env(name: str, default: Any = ..., *, doc: str, aliases: tuple[str, ...] = ()) -> Any:
    """Declare a setting read from exactly the environment variable `name` (or one of its older names, `aliases`).

    An empty variable counts as unset. A field typed as list, tuple, set or frozenset is read as a comma-separated list.
    """
    return _field(name, default, doc, aliases, is_secret=False)


def secret(name: str, default: Any = ..., *, doc: str, aliases: tuple[str, ...] = ()) -> Any:
    """Declare a secret (type it `SecretStr`), read from `name` or from the file that `name`_FILE points to.

    The file's content is taken without its trailing newline. Setting both is refused. The value is never printed.
    """
    return _field(name, default, doc, aliases, is_secret=True)


def _field(name: str, default: Any, doc: str, aliases: tuple[str, ...], *, is_secret: bool) -> Any:
    if is_secret and isinstance(default, str):
        default = SecretStr(default)
    described = {"variable": name, "aliases": list(aliases), "secret": is_secret}
    return Field(
        default, description=doc, validate_default=not is_secret, json_schema_extra=cast(Any, described)
    )


class Settings(BaseSettings):
    """Base of every service's settings: immutable, built by `load` (or with keyword arguments in tests)."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    own_prefixes: ClassVar[tuple[str, ...]] = ()
    """Variables that start with one of these and that no field declares are refused: they are misspellings."""

    log_level: LogLevel = env("WORKERPOOL_LOG_LEVEL", "INFO", doc="Least severe level that is logged")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the constructor only: `load` is the one reader of the environment."""
        return (init_settings,)


class MongoSettings(BaseModel):
    """Mix-in for a service with a database: either one URI, or host and port.

    A service overrides `mongo_database` with its own default: the data of two services never share a database.
    """

    model_config = ConfigDict(frozen=True)

    mongo_uri: SecretStr | None = secret(
        "MONGO_URI",
        None,
        doc="MongoDB connection string of a replica set; replaces MONGO_HOST and MONGO_PORT",
    )
    mongo_host: str = env(
        "MONGO_HOST", "localhost", doc="Host of the MongoDB replica set member to start from"
    )
    mongo_port: Port = env("MONGO_PORT", 27017, doc="Port of that member")
    mongo_database: str = env("MONGO_DATABASE", doc="Name of this service's own database")

    @model_validator(mode="after")
    def _one_way_to_the_database(self) -> Self:
        if self.mongo_uri is not None and {"mongo_host", "mongo_port"} & self.model_fields_set:
            # Services may read the host and port from other documented names, so the fields say how they are called.
            fields = type(self).model_fields
            uri, host, port = (_variable(fields[f"mongo_{part}"]) for part in ("uri", "host", "port"))
            raise ValueError(f"{uri}: set either {uri}, or {host} and {port}, not both")
        return self


def load(cls: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Build `cls` from `environ` (default: the process environment).

    Raises SettingsError with every problem found, each starting with the variable's name.
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


def settings_table(cls: type[Settings]) -> str:
    """Return the Markdown table of all variables of `cls`: variable, meaning, type, default."""
    lines = ["| Variable | Meaning | Type | Default |", "|---|---|---|---|"]
    for variable, meaning, type_name, default in settings_rows(cls):
        shown = f"`{default}`" if default and not default.startswith("(") else default
        escaped = meaning.replace("|", "\\|")
        lines.append(f"| `{variable}` | {escaped} | {type_name} | {shown} |")
    return "\n".join(lines) + "\n"


def settings_rows(cls: type[Settings]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (variable, meaning, type, default) for every setting of `cls`, the default in its environment spelling."""
    for info in sorted(cls.model_fields.values(), key=_variable):
        meaning = info.description or ""
        if _extra(info)["aliases"]:
            meaning += f" (older name: {', '.join(_extra(info)['aliases'])})"
        if _extra(info)["secret"]:
            meaning += f"; or {_variable(info)}_FILE, a file that holds it"
        yield _variable(info), meaning, _type_name(info), _default_text(info)


def _extra(info: FieldInfo) -> dict[str, Any]:
    if not isinstance(info.json_schema_extra, dict) or "variable" not in info.json_schema_extra:
        raise TypeError("every setting is declared with env(...) or secret(...)")
    return cast(dict[str, Any], info.json_schema_extra)


def _variable(info: FieldInfo) -> str:
    return str(_extra(info)["variable"])


def _names(info: FieldInfo) -> list[str]:
    return [_variable(info), *_extra(info)["aliases"]]


def _read(info: FieldInfo, environ: Mapping[str, str]) -> str | None:
    """Return the text of one setting, None when unset; ValueError when it is given in two ways that differ."""
    given = {name: environ[name] for name in _names(info) if environ.get(name)}
    if _extra(info)["secret"]:
        for name in _names(info):
            path = environ.get(f"{name}_FILE")
            if path:
                given[f"{name}_FILE"] = _file_content(f"{name}_FILE", path)
    if len(given) > 1 and (_extra(info)["secret"] or len(set(given.values())) > 1):
        raise ValueError(f"{_variable(info)}: set only one of {' and '.join(given)}")
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


def _unknown_variables(cls: type[Settings], environ: Mapping[str, str]) -> Iterator[str]:
    known: set[str] = set()
    for info in cls.model_fields.values():
        for name in _names(info):
            known |= {name, f"{name}_FILE"} if _extra(info)["secret"] else {name}
    for name in environ:
        if name.startswith(cls.own_prefixes or ("\0",)) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            yield f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else "")


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _is_collection(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple, set, frozenset) or any(
        get_origin(part) in (list, tuple, set, frozenset) for part in get_args(annotation)
    )


def _explain(cls: type[Settings], loc: tuple[int | str, ...], kind: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not loc or loc[0] not in cls.model_fields:
        # A check over several settings names them itself.
        return message if not loc else f"{loc[0]}: {message}"
    info = cls.model_fields[str(loc[0])]
    if kind == "missing":
        meaning = f" ({info.description})" if info.description else ""
        return f"{_variable(info)}: not set, and there is no default{meaning}"
    return f"{_variable(info)}: {message}"


def _type_name(info: FieldInfo) -> str:
    named = [part.text for part in info.metadata if isinstance(part, TypeName)]
    return named[0] if named else _annotation_name(info.annotation)


def _annotation_name(annotation: Any) -> str:
    named = [part.text for part in getattr(annotation, "__metadata__", ()) if isinstance(part, TypeName)]
    if named:
        return named[0]
    origin, arguments = (
        get_origin(annotation),
        [a for a in get_args(annotation) if a not in (type(None), ...)],
    )
    if origin is Annotated:
        return _annotation_name(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_annotation_name(a) for a in arguments)
    if origin is Literal:
        return ", ".join(str(a) for a in arguments)
    if origin in (list, tuple, set, frozenset):
        return f"comma-separated list of {_annotation_name(arguments[0])}"
    words = {
        str: "text",
        int: "integer",
        float: "number",
        bool: "true or false",
        SecretStr: "secret",
        Path: "path",
    }
    return words.get(annotation) or str(getattr(annotation, "__name__", annotation))


def _default_text(info: FieldInfo) -> str:
    default = info.get_default(call_default_factory=False)
    if info.is_required() or default is PydanticUndefined:
        return "(required)"
    if default is None or default in ("", (), frozenset()) or default == []:
        return "(none)"
    if _extra(info)["secret"]:
        return "(set)" if default.get_secret_value() else "(none)"
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, (list, tuple, set, frozenset)):
        return ",".join(str(item) for item in default)
    return str(default)
