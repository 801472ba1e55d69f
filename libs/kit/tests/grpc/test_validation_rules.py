"""Standard rules as tests on values, beyond what the generated comparison reaches."""

from typing import Any

import pytest
from buf.validate import validate_pb2
from workerpool_kit.grpc.validation_rules import UnsupportedRule, value_tests


class Field:
    """The part of a field descriptor that the rules use."""

    full_name = "demo.field"
    enum_type = None


FIELD: Any = Field()


def passes(rules: dict[str, Any], value: object) -> bool:
    tests = value_tests(FIELD, validate_pb2.FieldRules(**rules))
    assert tests
    return all(test(value) for _, test in tests)


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^\$$", "$", True),
        ("^[$]$", "$", True),
        (r"^\d$", "\u0663", False),
    ],
)
def test_pattern_matches_as_re2_does(pattern: str, value: str, matches: bool) -> None:
    assert passes({"string": {"pattern": pattern}}, value) is matches


@pytest.mark.parametrize(("value", "kept"), [(4, False), (5, True), (9, True), (10, False)])
def test_bounds_enclose(value: int, kept: bool) -> None:
    assert passes({"uint32": {"gte": 5, "lt": 10}}, value) is kept


@pytest.mark.parametrize(("value", "kept"), [(4, True), (5, False), (9, False), (11, True)])
def test_upper_bound_below_the_lower_one_excludes(value: int, kept: bool) -> None:
    assert passes({"uint32": {"gt": 10, "lt": 5}}, value) is kept


def test_length_in_bytes_differs_from_the_length_in_characters() -> None:
    assert passes({"string": {"max_len": 1}}, "é")
    assert not passes({"string": {"max_bytes": 1}}, "é")


def test_rule_is_named_in_words() -> None:
    ((words, _),) = value_tests(FIELD, validate_pb2.FieldRules(string=validate_pb2.StringRules(min_len=3)))
    assert words == "string.min_len = 3"


def test_unknown_rule_is_refused_by_the_name_of_the_field() -> None:
    with pytest.raises(UnsupportedRule, match=r"demo\.field: string\.email is not supported"):
        value_tests(FIELD, validate_pb2.FieldRules(string=validate_pb2.StringRules(email=True)))
