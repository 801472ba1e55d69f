"""Validates messages against the `buf.validate` annotations of their schema.

The annotations of each message type are compiled once into closures. `compile_rules` refuses a rule that
`validation_rules` does not know, so the server does not start. A contract test compares the results with the reference
implementation, protovalidate, which interprets the rules for each message: 0.7-4.6 ms for a small message, against
1-5 µs here (a whole unary call takes about 70 µs).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor, OneofDescriptor
from google.protobuf.message import Message

from workerpool_kit import reasons
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.validation_rules import Test, UnsupportedRule, value_tests

__all__ = ["InvalidMessage", "UnsupportedRule", "compile_rules", "validate"]

Check = Callable[[Any], None]
"""Checks one aspect of a message or value. Raises _Broken."""


class InvalidMessage(WorkerpoolError):
    """A message breaks a rule of its schema; text and details name field and rule."""

    kind = Kind.INVALID
    reason = reasons.INVALID_ARGUMENT


class _Broken(Exception):
    """A rule is broken at `path` below the checked value; each level above prepends its part."""

    def __init__(self, path: str, rule: str) -> None:
        self.path = path
        self.rule = rule

    def under(self, part: str) -> "_Broken":
        """Prepend the part of a level above."""
        self.path = f"{part}{'.' if self.path and not self.path.startswith('[') else ''}{self.path}"
        return self


class _Compiled:
    """The checks of one message type; registered before they are complete, since a type may contain itself."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def __call__(self, message: Any) -> None:
        for check in self.checks:
            check(message)


_compiled: dict[str, _Compiled] = {}


def validate(message: Message) -> None:
    """Check a message. Raises InvalidMessage for the first broken rule, UnsupportedRule for an unknown rule."""
    compiled = _compiled.get(message.DESCRIPTOR.full_name) or compile_rules(message.DESCRIPTOR)
    try:
        compiled(message)
    except _Broken as broken:
        raise InvalidMessage(
            f"{broken.path}: {broken.rule}", details={"field": broken.path, "rule": broken.rule}
        ) from None


def compile_rules(descriptor: Any) -> _Compiled:
    """Compile the checks of a message type and of the types it contains. Raises UnsupportedRule, naming the field."""
    name = descriptor.full_name
    if name in _compiled:
        return _compiled[name]
    compiled = _compiled[name] = _Compiled()
    try:
        if descriptor.GetOptions().HasExtension(validate_pb2.message):
            raise UnsupportedRule(f"{name}: rules on whole messages are not supported")
        compiled.checks += [_oneof_check(oneof) for oneof in descriptor.oneofs if _is_required_oneof(oneof)]
        for field in descriptor.fields:
            compiled.checks += _field_checks(field)
    except BaseException:
        # An unfinished entry would accept every message from now on.
        del _compiled[name]
        raise
    return compiled


def _is_required_oneof(oneof: OneofDescriptor) -> bool:
    options = oneof.GetOptions()
    return bool(options.HasExtension(validate_pb2.oneof) and options.Extensions[validate_pb2.oneof].required)


def _oneof_check(oneof: OneofDescriptor) -> Check:
    name = oneof.name

    def check(message: Any) -> None:
        if message.WhichOneof(name) is None:
            raise _Broken(name, "one of its fields is required")

    return check


def _field_checks(field: FieldDescriptor) -> list[Check]:
    rules = validate_pb2.FieldRules()
    if field.GetOptions().HasExtension(validate_pb2.field):
        rules = field.GetOptions().Extensions[validate_pb2.field]
    if rules.ignore == validate_pb2.IGNORE_ALWAYS:
        return []
    name, is_set = field.name, _presence(field)
    checks: list[Check] = []
    if rules.required:

        def check_required(message: Any) -> None:
            if not is_set(message):
                raise _Broken(name, "required")

        checks.append(check_required)
    check_value = _value_check(field, rules)
    if check_value is not None:

        def check_always(message: Any) -> None:
            try:
                check_value(getattr(message, name))
            except _Broken as broken:
                raise broken.under(name) from None

        def check_if_set(message: Any) -> None:
            if is_set(message):
                check_always(message)

        # A field that tracks presence is only checked when set; another one always, unless the schema says otherwise.
        only_if_set = field.has_presence or rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
        checks.append(check_if_set if only_if_set else check_always)
    return checks


def _presence(field: FieldDescriptor) -> Callable[[Any], bool]:
    name = field.name
    if field.has_presence:
        return lambda message: bool(message.HasField(name))
    if field.is_repeated:
        return lambda message: len(getattr(message, name)) > 0
    default = field.default_value
    return lambda message: bool(getattr(message, name) != default)


def _value_check(field: FieldDescriptor, rules: Any) -> Check | None:
    """Return the check of a field's value, None without rules."""
    if field.is_repeated:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return _map_check(field, rules)
        return _list_check(field, rules)
    return _single_check(field, rules)


def _single_check(field: FieldDescriptor, rules: Any) -> Check | None:
    """Return the check of one value of a field: its own rules, then those of the message inside."""
    tests = value_tests(field, rules)
    inside = compile_rules(field.message_type) if field.message_type is not None else None
    if not tests:
        # Not `inside.checks`: they are incomplete in a type that contains itself.
        return inside
    if inside is None:
        return partial(_apply, tests)

    def check(value: Any) -> None:
        _apply(tests, value)
        inside(value)

    return check


def _list_check(field: FieldDescriptor, rules: Any) -> Check | None:
    own = rules.repeated
    tests = value_tests(field, rules)
    check_item = None if _ignored(own.items) else _single_check(field, own.items)
    skip_zero = own.items.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
    if not tests and check_item is None:
        return None

    def check(values: Any) -> None:
        _apply(tests, values)
        if check_item is None:
            return
        for index, value in enumerate(values):
            if value or not skip_zero:
                try:
                    check_item(value)
                except _Broken as broken:
                    raise broken.under(f"[{index}]") from None

    return check


def _map_check(field: FieldDescriptor, rules: Any) -> Check | None:
    own = rules.map
    assert field.message_type is not None
    key_field, value_field = (field.message_type.fields_by_name[part] for part in ("key", "value"))
    tests = value_tests(field, rules)
    check_key = None if _ignored(own.keys) else _single_check(key_field, own.keys)
    check_value = None if _ignored(own.values) else _single_check(value_field, own.values)
    if not tests and check_key is None and check_value is None:
        return None

    def check(pairs: Any) -> None:
        _apply(tests, pairs)
        for key in pairs:
            try:
                if check_key is not None:
                    check_key(key)
                if check_value is not None:
                    check_value(pairs[key])
            except _Broken as broken:
                raise broken.under(f"[{key!r}]") from None

    return check


def _ignored(rules: Any) -> bool:
    return bool(rules.ignore == validate_pb2.IGNORE_ALWAYS)


def _apply(tests: list[tuple[str, Test]], value: Any) -> None:
    for rule, passes in tests:
        if not passes(value):
            raise _Broken("", rule)
