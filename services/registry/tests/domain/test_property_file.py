"""Property files as values."""

from workerpool_registry.domain.property_file import FileProblem, Property, PropertyFile


def test_values_drop_the_lines() -> None:
    file = PropertyFile("application.yml", {"sms.tdx": Property("http://a:1", 2), "other": Property(5, 3)})
    assert file.values() == {"sms.tdx": "http://a:1", "other": 5}


def test_problem_names_file_and_line() -> None:
    assert str(FileProblem("a.yml", 3, "is wrong")) == "a.yml:3: is wrong"
    assert str(FileProblem("a.yml", 0, "is empty")) == "a.yml: is empty"
