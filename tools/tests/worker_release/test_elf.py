"""What the program needs of the C library, read from its files."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from worker_release.elf import elf_files, loader_of, lowest_glibc, versions_in
from worker_release.source import BuildError

LISTING = """
Version needs section '.gnu.version_r' contains 2 entries:
  0x0000: Version: 1  File: libc.so.6  Cnt: 3
  0x0010:   Name: GLIBC_2.2.5  Flags: none  Version: 4
  0x0020:   Name: GLIBC_2.34  Flags: none  Version: 3
  0x0030:   Name: GLIBC_2.9  Flags: none  Version: 2
  0x0040: Version: 1  File: libstdc++.so.6  Cnt: 1
  0x0050:   Name: GLIBCXX_3.4.29  Flags: none  Version: 5
  0x0060:   Name: GLIBC_PRIVATE  Flags: none  Version: 6
"""
PROGRAM = Path(sys.executable).resolve()
needs_readelf = pytest.mark.skipif(
    shutil.which("readelf") is None, reason="readelf (Debian package binutils) is not installed"
)


def test_only_numbered_versions_of_glibc_count() -> None:
    assert sorted(versions_in(LISTING)) == [(2, 2, 5), (2, 9), (2, 34)]


def test_packed_relocations_need_the_first_glibc_that_reads_them() -> None:
    assert list(versions_in("  0x0010:   Name: GLIBC_ABI_DT_RELR  Flags: none  Version: 4")) == [(2, 36)]


def test_programs_and_libraries_are_found_without_links_and_scripts(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    shutil.copyfile(PROGRAM, tmp_path / "lib/program")
    (tmp_path / "link").symlink_to("lib/program")
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "empty").touch()
    assert elf_files(tmp_path) == [tmp_path / "lib/program"]


@needs_readelf
def test_this_python_names_its_glibc_and_its_loader() -> None:
    assert re.fullmatch(r"2\.\d+(\.\d+)?", lowest_glibc([PROGRAM]))
    assert Path(loader_of(PROGRAM)).exists()


@needs_readelf
def test_files_that_need_no_glibc_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(BuildError):
        lowest_glibc([tmp_path / "text"])
