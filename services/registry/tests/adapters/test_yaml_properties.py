"""YAML text flattened to dotted keys with lines, and text that cannot be used."""

import pytest
from workerpool_registry.adapters.yaml_properties import UnusableText, parse_properties
from workerpool_registry.domain.property_file import Property

ALIAS_BOMB = "a0: &a0 []\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)


def test_nested_maps_join_with_dots_and_lists_with_indices() -> None:
    assert parse_properties("a:\n  b: 1\n  c:\n  - x\n  - d: true\n") == {
        "a.b": Property(1, 2),
        "a.c[0]": Property("x", 4),
        "a.c[1].d": Property(True, 5),
    }


def test_value_that_json_cannot_hold_keeps_its_text() -> None:
    found = parse_properties("day: 2024-01-31\nlimit: .inf\nnothing:\n")
    assert [each.value for each in found.values()] == ["2024-01-31", ".inf", None]


def test_empty_text_has_no_properties() -> None:
    assert parse_properties("# only a comment\n") == {}


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("sms:\n  scone: [\n", 3, ""),
        ("- one\n- two\n", 1, "expected keys and values"),
        ("a: b: c\n", 1, ""),
        ("a: 1\nb: !secret x\n", 2, "could not determine a constructor"),
        ("a: 1\nb: 2024-99-99\n", 2, "not a usable value: '2024-99-99'"),
        ("a: 1\nb: !!bool x\n", 2, "not a usable value"),
        ("a: " + "9" * 5_000, 1, "not a usable value"),
        ('a: 1\nb: "\\ud800"\n', 2, "not a usable value"),
        ("sms:\n  scone: http://a:1\n  scone: http://b:1\n", 3, "scone: occurs twice"),
        ("a: &a\n  b: *a\n", 1, "is nested too deeply, or in itself"),
        ("a: " + "[" * 100 + "]" * 100, 1, "is nested too deeply, or in itself"),
        ("a: " + "[" * 5_000 + "]" * 5_000, 1, "is nested too deeply, or in itself"),
        (ALIAS_BOMB, 1, "expands to more than 10000 values"),
    ],
)
def test_unusable_text_is_named_with_its_line(text: str, line: int, complaint: str) -> None:
    with pytest.raises(UnusableText) as refused:
        parse_properties(text)
    assert complaint in refused.value.text
    assert refused.value.line == line
