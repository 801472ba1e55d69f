"""Stacks merged from property files, and what is wrong with a file."""

import pytest
from workerpool_registry.domain.property_file import Property, PropertyFile
from workerpool_registry.domain.stack import TeeFramework, file_names, merge_stack, problems_of


def file(path: str, digest: str = "", **values: str) -> PropertyFile:
    properties = {
        f"sms.{name}": Property(value, line) for line, (name, value) in enumerate(values.items(), 1)
    }
    return PropertyFile(path, properties, digest)


def test_specific_file_overrides_the_shared_one() -> None:
    shared = file("application.yml", scone="http://shared:1", tdx="http://tdx:1/")
    stack = merge_stack("prod", "", [file("application-prod.yml", scone="http://prod:1"), shared])
    assert stack.sms_locations == {
        TeeFramework.SCONE: "http://prod:1",
        TeeFramework.TDX: "http://tdx:1",
    }


def test_version_changes_with_every_file() -> None:
    versions = {
        merge_stack("prod", "", [file("a", digest=one), file("b", digest=two)]).version
        for one, two in (("1", "2"), ("1", "3"), ("2", "2"))
    }
    assert len(versions) == 3
    assert all(len(version) == 16 for version in versions)


@pytest.mark.parametrize(
    ("stack", "names"),
    [
        ("", ["application.yml"]),
        ("default", ["application.yml"]),
        ("prod", ["application-prod.yml", "application.yml"]),
    ],
)
def test_file_names_begin_with_the_most_specific(stack: str, names: list[str]) -> None:
    assert file_names(stack) == names


@pytest.mark.parametrize(
    "url", ["not a url", "ftp://a:1", "http://", "http://a:0", "http://a:99999", "http://[::1"]
)
def test_location_that_is_no_http_url_is_a_problem(url: str) -> None:
    (problem,) = problems_of(file("a.yml", scone=url))
    assert (problem.line, "expected a URL" in problem.text) == (1, True)


def test_unknown_framework_is_a_problem_and_other_keys_are_not() -> None:
    (problem,) = problems_of(file("a.yml", tdx="http://a:1", sgx="http://a:1"))
    assert problem.text == "sms.sgx: no such TEE framework (known: scone, gramine, tdx)"
    assert problems_of(PropertyFile("a.yml", {"spring.sms": Property("x", 1)})) == []
