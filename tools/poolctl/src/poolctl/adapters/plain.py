"""Messages of the services as plain documents: what JSON, YAML and the tables show."""

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message

Field = Any
"""The descriptor of a field: of the pure Python package or of its compiled form, which share no class."""

_TIMESTAMP, _DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(message: Message) -> dict[str, Any]:
    """Return a message as a document with the field names of its proto.

    An enum value is its name without the prefix of its type, a time is ISO 8601 in UTC, a duration a number of seconds.
    A field of a message type that is absent is None; every other field is present, also with its default.
    """
    document: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if _is_map(field):
            document[field.name] = {key: _value(_of_map(field), value[key]) for key in sorted(value)}
        elif field.is_repeated:
            document[field.name] = [_value(field, each) for each in value]
        elif field.has_presence and not message.HasField(field.name):
            document[field.name] = None
        else:
            document[field.name] = _value(field, value)
    return document


def _is_map(field: Field) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _of_map(field: Field) -> Field:
    return field.message_type.fields_by_name["value"]


def _value(field: Field, value: Any) -> Any:
    if field.enum_type is not None:
        return _enum(field.enum_type, value)
    if field.message_type is None:
        return value.hex() if isinstance(value, bytes) else value
    if field.message_type.full_name == _TIMESTAMP:
        return _time(value)
    if field.message_type.full_name == _DURATION:
        return value.seconds + value.nanos / 1e9
    return plain(value)


def _enum(kind: Any, number: int) -> str:
    """Return a value's name without the prefix; its number for a value of a newer service."""
    known = kind.values_by_number.get(number)
    if known is None:
        return str(number)
    if number == 0:
        return ""
    prefix = _upper_snake(kind.name) + "_"
    return str(known.name).removeprefix(prefix)


def _upper_snake(name: str) -> str:
    return "".join(f"_{each}" if each.isupper() and at else each for at, each in enumerate(name)).upper()


def _time(stamp: Any) -> str | None:
    try:
        moment = _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1_000)
    except OverflowError:
        # A value that no calendar holds, of a service that is out of order.
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
