"""Property files in a folder: which are found, their stamps, and what is wrong with them."""

import os
from pathlib import Path

import pytest
from workerpool_registry.adapters.property_folder import PropertyFolder
from workerpool_registry.app.ports import PropertyFileError


def write(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def test_files_of_sub_folders_are_found_and_hidden_folders_are_not(tmp_path: Path) -> None:
    for name in ("application.yml", "v9/application-prod.yml", ".git/application.yml", "other.yml"):
        write(tmp_path, name, "")
    assert PropertyFolder(tmp_path).paths() == ["application.yml", "v9/application-prod.yml"]


def test_missing_folder_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        PropertyFolder(tmp_path / "gone").paths()


def test_stamp_changes_with_an_edit(tmp_path: Path) -> None:
    write(tmp_path, "application.yml", "a: 1")
    folder = PropertyFolder(tmp_path)
    before = folder.stamp("application.yml")
    os.utime(tmp_path / "application.yml", ns=(1, 1))
    assert folder.stamp("application.yml") != before
    assert folder.stamp("gone.yml") == (0, 0)


def test_file_has_a_digest_of_its_content(tmp_path: Path) -> None:
    write(tmp_path, "application.yml", "a: 1")
    file = PropertyFolder(tmp_path).read("application.yml")
    assert (file.path, file.values(), len(file.digest)) == ("application.yml", {"a": 1}, 64)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "a.yml: is not UTF-8 text"),
        ("a: b: c\n", "a.yml:1: mapping values are not allowed here"),
        ("a: 1\nsms:\n  tdx: not a url\n", "a.yml:3: sms.tdx: expected a URL such as http://host:port"),
    ],
)
def test_bad_file_is_named_with_its_line(tmp_path: Path, content: str | bytes, problem: str) -> None:
    write(tmp_path, "a.yml", content)
    with pytest.raises(PropertyFileError) as refused:
        PropertyFolder(tmp_path).read("a.yml")
    assert [str(each) for each in refused.value.problems] == [problem]


def test_file_that_disappears_is_named(tmp_path: Path) -> None:
    with pytest.raises(PropertyFileError, match=r"gone\.yml: No such file"):
        PropertyFolder(tmp_path).read("gone.yml")
