"""A module has one idea and a folder one subject: neither grows without end."""

from collections import Counter

from architecture.tree import ROOT, files_of_tests, source_modules

LONGEST_MODULE = 400
FULLEST_FOLDER = 14


def test_no_module_is_longer_than_400_lines() -> None:
    files = [*source_modules().values(), *files_of_tests()]
    long = {
        str(p.relative_to(ROOT)): n for p in files if (n := len(p.read_text().splitlines())) > LONGEST_MODULE
    }
    assert not long, f"split these, each holds more than one idea: {long}"


def test_no_folder_holds_more_than_14_modules() -> None:
    counted = Counter(
        str(p.parent.relative_to(ROOT)) for p in source_modules().values() if p.name != "__init__.py"
    )
    full = {folder: n for folder, n in counted.items() if n > FULLEST_FOLDER}
    assert not full, f"give these folders rooms by subject: {full}"
