"""Messages of the services as plain documents: what JSON, YAML and the tables show."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from google.protobuf.message import Message

Field = Any
"""The descriptor of a field: of the pure Python package or of its compiled form, which share no class."""
Convert = Callable[[Any], Any]

_TIMESTAMP, _DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(message: Message) -> dict[str, Any]:
    """Return a message as a document with the field names of its proto.

    An enum value is its name without the prefix of its type, a time is ISO 8601 in UTC, a duration a number of seconds.
    A field of a message type that is absent is None; every other field is present, also with its default.
    """
    return {
        name: None if optional and not message.HasField(name) else convert(getattr(message, name))
        for name, optional, convert in _fields(message.DESCRIPTOR)
    }


@cache
def _fields(kind: Any) -> list[tuple[str, bool, Convert]]:
    """Return name, whether it may be absent, and conversion of each field: a list has thousands of equal messages."""
    return [
        (field.name, field.has_presence and not field.is_repeated, _conversion(field))
        for field in kind.fields
    ]


def _conversion(field: Field) -> Convert:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        of_value = _of_one(field.message_type.fields_by_name["value"])
        return lambda values: {key: of_value(values[key]) for key in sorted(values)}
    of_one = _of_one(field)
    return (lambda values: [of_one(each) for each in values]) if field.is_repeated else of_one


def _of_one(field: Field) -> Convert:
    """Return the conversion of one value of a field."""
    if field.enum_type is not None:
        return _names(field.enum_type)
    if field.message_type is None:
        return lambda value: value.hex() if isinstance(value, bytes) else value
    if field.message_type.full_name == _TIMESTAMP:
        return _time
    if field.message_type.full_name == _DURATION:
        return lambda value: value.seconds + value.nanos / 1e9
    return plain


def _names(kind: Any) -> Convert:
    """Return the conversion of a number to its name without the prefix; a value of a newer service stays a number."""
    prefix = _upper_snake(kind.name) + "_"
    names = {each.number: each.name.removeprefix(prefix) if each.number else "" for each in kind.values}
    return lambda number: names.get(number, str(number))


def _upper_snake(name: str) -> str:
    return "".join(f"_{each}" if each.isupper() and at else each for at, each in enumerate(name)).upper()


def _time(stamp: Any) -> str | None:
    try:
        moment = _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1_000)
    except OverflowError:
        # A value that no calendar holds, of a service that is out of order.
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
