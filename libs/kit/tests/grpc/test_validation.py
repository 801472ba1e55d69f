"""The compiled rules agree with the reference implementation on generated messages, good and bad."""

import importlib
import pkgutil
from typing import Any

import protovalidate
import pytest
import workerpool_protocol
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workerpool_kit.grpc.validation import InvalidMessage, UnsupportedRule, compile_rules, validate

TEXT = st.one_of(
    st.sampled_from(
        ["", "a", "ab", "abc", "acb", "abcd", "x", "0x1f", "0x1f\n", "0xZZ", "é", "éé", "ééé", "$", " "]
    ),
    st.text(max_size=5),
)
INT32 = st.one_of(st.integers(-2, 12), st.integers(-(2**31), 2**31 - 1))
DOUBLE = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0, float("nan"), float("inf")]), st.floats(width=64))


@st.composite
def strings(draw: st.DrawFn, pb2: Any) -> Any:
    names = [field.name for field in pb2.Strings.DESCRIPTOR.fields]
    return pb2.Strings(**{name: draw(TEXT) for name in names if draw(st.booleans())})


@st.composite
def numbers(draw: st.DrawFn, pb2: Any) -> Any:
    return pb2.Numbers(
        between=draw(st.integers(0, 12)),
        outside=draw(INT32),
        real=draw(DOUBLE),
        yes=draw(st.booleans()),
        color=draw(st.integers(0, 4)),
        data=draw(st.binary(max_size=6)),
        set=draw(DOUBLE),
    )


def good_numbers(pb2: Any) -> Any:
    return pb2.Numbers(between=1, outside=1, yes=True, color=1, data=b"a", set=1)


@st.composite
def shapes(draw: st.DrawFn, pb2: Any, depth: int = 1) -> Any:
    shape = pb2.Shapes(
        names=draw(st.lists(TEXT, max_size=3)),
        counts=draw(st.dictionaries(TEXT, INT32, max_size=3)),
        colors=draw(st.lists(st.sampled_from([0, 1, 3]), max_size=2)),
    )
    match draw(st.integers(0, 3)):
        case 0:
            shape.word = draw(TEXT)
        case 1 | 2:
            shape.number = draw(st.integers(0, 3))
    if draw(st.integers(0, 3)):
        shape.numbers.CopyFrom(draw(st.one_of(st.just(good_numbers(pb2)), numbers(pb2))))
    if draw(st.integers(0, 3)):
        shape.since.seconds = draw(st.integers(0, 5))
    if draw(st.booleans()):
        shape.wait.seconds = draw(st.integers(0, 2))
        # Whole microseconds: the reference knows no smaller ones.
        shape.wait.nanos = 1_000 * draw(st.integers(0, 1))
    if depth and draw(st.booleans()):
        shape.inner.extend(draw(st.lists(shapes(pb2, depth - 1), max_size=3)))
    return shape


def accepted(message: Any) -> bool:
    try:
        validate(message)
    except InvalidMessage:
        return False
    return True


@pytest.mark.parametrize("sort", [strings, numbers, shapes])
def test_agrees_with_protovalidate(contract: Any, sort: Any) -> None:
    reference = protovalidate.Validator()  # type: ignore[no-untyped-call]
    verdicts = set()

    @settings(max_examples=120, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(sort(contract.pb2))
    def check(message: Any) -> None:
        expected = not reference.collect_violations(message)
        verdicts.add(expected)
        assert accepted(message) is expected, message

    check()
    assert False in verdicts


def test_valid_messages_pass_both_validators(contract: Any) -> None:
    pb2 = contract.pb2
    shape = pb2.Shapes(names=["a"], counts={"a": 1}, word="w", numbers=good_numbers(pb2), colors=[1])
    shape.since.SetInParent()
    shape.wait.nanos = 1_000
    words = pb2.Strings(sized="a", exact="ab", unanchored="a", affixed="ab", in_bytes="é", needed="n")
    for message in (shape, words):
        protovalidate.validate(message)
        validate(message)


def test_the_error_names_the_field_and_the_rule(contract: Any) -> None:
    shape = contract.pb2.Shapes(names=["a", ""], number=1)
    with pytest.raises(InvalidMessage, match=r"names\[1\]: string.min_len = 1") as error:
        validate(shape)
    assert error.value.details == {"field": "names[1]", "rule": "string.min_len = 1"}


@pytest.mark.parametrize("name", ["UsesCel", "UsesUnknownRule"])
def test_unknown_rule_is_refused_at_every_attempt(contract: Any, name: str) -> None:
    for _ in range(2):
        with pytest.raises(UnsupportedRule, match=f"kit_test.v1.{name}.value"):
            compile_rules(getattr(contract.pb2, name).DESCRIPTOR)


def test_undefined_enum_values_in_lists_are_refused(contract: Any) -> None:
    """The Python reference lets these pass, the rule's definition does not."""
    with pytest.raises(InvalidMessage, match=r"colors\[1\]: must be a value of the enum"):
        validate(contract.pb2.Shapes(number=1, numbers=good_numbers(contract.pb2), since={}, colors=[1, 2]))


def test_every_rule_of_the_projects_own_contracts_is_known() -> None:
    compiled = 0
    for module in pkgutil.walk_packages(workerpool_protocol.__path__, "workerpool_protocol."):
        if module.name.endswith("_pb2"):
            for message in importlib.import_module(module.name).DESCRIPTOR.message_types_by_name.values():
                compile_rules(message)
                compiled += 1
    assert compiled > 50
