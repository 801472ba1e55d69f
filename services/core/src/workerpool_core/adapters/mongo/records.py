"""Conversion between domain values and stored documents, derived from the schema in `documents`.

A record is the BSON form of a document: a plain dictionary. The hot path encodes to records without document objects,
which would cost many times as much (docs/adr/0003). The functions are generated from the schema, as `dataclasses`
generates `__init__`, so they are as fast as code written by hand.
"""

import dataclasses
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Generic, TypeVar

from mongoengine import EmbeddedDocumentField, EnumField, ListField

from workerpool_core.adapters.mongo import documents
from workerpool_core.adapters.mongo.changes import Bson
from workerpool_core.domain import model

T = TypeVar("T")
Convert = Callable[[Any], Any]


class Records(Generic[T]):
    """The codec between values of one domain type and records of one document class."""

    def __init__(self, document: Any, domain_type: type[T]) -> None:
        attributes = _attributes(domain_type)
        schema: dict[str, Any] = document._fields
        key = getattr(document, "_meta", {}).get("id_field")
        stored = {
            name: field
            for name, field in schema.items()
            if name != key and (name in attributes or _is_property(domain_type, name))
        }
        converters = {
            name: pair for name, field in stored.items() if (pair := _converters(field)) is not None
        }
        self._encoders = {name: pair[0] for name, pair in converters.items()}
        computed: dict[str, Convert] = getattr(document, "computed", {})
        sparse: frozenset[str] = getattr(document, "sparse", frozenset())
        self.encode: Callable[[T], Bson] = _encoder(stored, self._encoders, computed, sparse)
        """Return the record of a value, without its key.

        Fields that are None are omitted unless `null` is set; so are the document's `sparse` fields while empty.
        """
        decoded = [name for name in stored if name in attributes]
        # Callers pass embedded documents that they share, such as the terms of a deal.
        required = {
            name
            for name in decoded
            if stored[name].required and not isinstance(stored[name], EmbeddedDocumentField)
        }
        decoders = {name: pair[1] for name, pair in converters.items()}
        self.decode: Callable[..., T] = _decoder(
            domain_type, decoded, required, decoders, key if key in attributes else None
        )
        """Return the value of a record; missing fields get the default of the domain type.

        Keyword arguments are attributes that the caller has already decoded.
        """

    def encode_fields(self, fields: Mapping[str, object]) -> Bson:
        """Return attributes with their values as fields of a record."""
        encoders = self._encoders
        return {
            name: encoders[name](value) if name in encoders and value is not None else value
            for name, value in fields.items()
        }


def _attributes(domain_type: type[Any]) -> frozenset[str]:
    """Return the names that the constructor of a domain type takes."""
    if dataclasses.is_dataclass(domain_type):
        return frozenset(field.name for field in dataclasses.fields(domain_type))
    return frozenset(domain_type._fields)


def _is_property(domain_type: type[Any], name: str) -> bool:
    return isinstance(getattr(domain_type, name, None), property)


# --- converters of single fields ----------------------------------------------------------------


def _converters(field: Any) -> tuple[Convert, Convert] | None:
    """Return the encoder and the decoder of a field; None for one that is stored unchanged."""
    match field:
        case EnumField():
            return attrgetter("_value_"), field._enum_cls._value2member_map_.__getitem__
        case EmbeddedDocumentField():
            nested: Records[Any] = Records(field.document_type, field.document_type.domain_type)
            return nested.encode, nested.decode
        case ListField():
            return _list_converters(field.field)
        case _:
            return None


def _list_converters(item: Any) -> tuple[Convert, Convert]:
    """Return the encoder and the decoder of a list; a list of documents is decoded to a list, others to a tuple."""
    converters = _converters(item)
    if converters is None:
        return list, tuple
    encode, decode = converters
    if isinstance(item, EmbeddedDocumentField):
        return lambda values: [encode(value) for value in values], lambda items: [
            decode(each) for each in items
        ]
    return lambda values: [encode(value) for value in values], lambda items: tuple(map(decode, items))


# --- generated functions ------------------------------------------------------------------------


def _encoder(
    stored: Mapping[str, Any],
    encoders: Mapping[str, Convert],
    computed: Mapping[str, Convert],
    sparse: frozenset[str],
) -> Callable[[Any], Bson]:
    """Generate the function that returns the record of a value."""
    names: dict[str, Any] = {}
    always: list[str] = []
    optional: list[str] = []
    for name, field in stored.items():
        expression = f"value.{name}"
        if isinstance(field, EnumField):
            expression += "._value_"
        elif name in encoders:
            names[f"encode_{name}"] = encoders[name]
            expression = f"encode_{name}({expression})"
        if name in sparse:
            optional.append(f"    if value.{name}:\n        record[{name!r}] = {expression}")
        elif field.required or name not in encoders:
            always.append(f"{name!r}: {expression}")
        else:
            optional.append(f"    if value.{name} is not None:\n        record[{name!r}] = {expression}")
    for name, compute in computed.items():
        names[f"compute_{name}"] = compute
        always.append(f"{name!r}: compute_{name}(value)")
    lines = ["def encode(value):", f"    record = {{{', '.join(always)}}}", *optional, "    return record"]
    return _generated("encode", lines, names)


def _decoder(
    domain_type: type[T],
    decoded: list[str],
    required: set[str],
    decoders: Mapping[str, Convert],
    key: str | None,
) -> Callable[..., T]:
    """Generate the function that returns the value of a record."""
    names: dict[str, Any] = {"domain_type": domain_type}
    arguments = [f"{key}=record['_id']"] if key is not None else []
    optional: list[str] = []
    for name in decoded:
        expression = f"record[{name!r}]"
        if name in decoders:
            names[f"decode_{name}"] = decoders[name]
            expression = f"decode_{name}({expression})"
        if name in required:
            arguments.append(f"{name}={expression}")
        else:
            optional.append(
                f"    if {name!r} not in known and record.get({name!r}) is not None:\n"
                f"        known[{name!r}] = {expression}"
            )
    call = f"    return domain_type({', '.join([*arguments, '**known'])})"
    return _generated("decode", ["def decode(record, **known):", *optional, call], names)


def _generated(name: str, lines: list[str], names: dict[str, Any]) -> Callable[..., Any]:
    exec("\n".join(lines), names)
    function: Callable[..., Any] = names[name]
    return function


DEALS = Records(documents.DealDocument, model.PoolDeal)
TASKS = Records(documents.TaskDocument, model.Task)
TERMS = Records(documents.TermsDocument, model.DealTerms)
TASK_CHANGES = Records(documents.TaskChangeDocument, model.TaskChange)
REPLICATES = Records(documents.ReplicateDocument, model.Replicate)
REPLICATE_CHANGES = Records(documents.ReplicateChangeDocument, model.ReplicateChange)
WORKERS = Records(documents.WorkerDocument, model.Worker)
COMMANDS = Records(documents.CommandDocument, model.Command)
