"""Random messages of any type of the contract, and random bytes in their place."""

from typing import Any

from contract.fuzz.values import Values
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

_DEPTH = 4
_F = FieldDescriptor
_RANGES = {
    _F.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    _F.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    _F.CPPTYPE_UINT32: (0, 2**32 - 1),
    _F.CPPTYPE_UINT64: (0, 2**64 - 1),
    _F.CPPTYPE_ENUM: (-1, 200),
}


def random_bytes(values: Values, kind: Descriptor) -> bytes:
    """Return what is sent as a message of a type: mostly a message, sometimes a mutated or a foreign one."""
    random = values.random
    data = bytearray(random_message(values, kind).SerializeToString())
    draw = random.random()
    if draw < 0.1:
        return values.data()
    if draw < 0.25:
        for _ in range(random.randint(1, 6)):
            place = random.randrange(len(data) + 1)
            data[place : place + random.randrange(3)] = random.randbytes(random.randrange(4))
    return bytes(data)


def random_message(values: Values, kind: Descriptor, depth: int = 0) -> Any:
    """Return a message whose fields are set at random; one field of each oneof is set most of the time."""
    message = GetMessageClass(kind)()
    fields = [f for f in kind.fields if f.containing_oneof is None]
    fields += [values.random.choice(oneof.fields) for oneof in kind.oneofs]
    for field in fields:
        if values.random.random() < 0.85:
            _fill(values, message, field, depth)
    return message


def _fill(values: Values, message: Any, field: FieldDescriptor, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        entries = getattr(message, field.name)
        for _ in range(values.random.randrange(3)):
            entries[values.text()] = values.text()
        return
    if field.message_type is not None:
        if depth < _DEPTH:
            count = values.random.choice((0, 1, 2, 20)) if field.is_repeated else 1
            for _ in range(count):
                inner = random_message(values, field.message_type, depth + 1)
                target = getattr(message, field.name)
                target.add().CopyFrom(inner) if field.is_repeated else target.CopyFrom(inner)
        return
    if field.is_repeated:
        getattr(message, field.name).extend(
            _scalar(values, field) for _ in range(values.random.choice((0, 1, 3)))
        )
    else:
        setattr(message, field.name, _scalar(values, field))


def _scalar(values: Values, field: FieldDescriptor) -> Any:
    if field.cpp_type in _RANGES:
        return values.integer(*_RANGES[field.cpp_type])
    if field.type == _F.TYPE_BYTES:
        return values.data()
    if field.cpp_type == _F.CPPTYPE_STRING:
        return values.text()
    if field.cpp_type == _F.CPPTYPE_BOOL:
        return values.random.random() < 0.5
    return values.number()
