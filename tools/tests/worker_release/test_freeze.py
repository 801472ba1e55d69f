"""The program from PyInstaller, without what depends on the machine that built it."""

import platform
from pathlib import Path

from worker_release.freeze import (
    Source,
    compiled_modules,
    release_name,
    remove_installation_records,
    sources_in,
)
from worker_release.source import version


def test_each_compiled_module_is_named_but_no_library_and_no_unused_package(tmp_path: Path) -> None:
    for name in (
        "isal/igzip_lib.cpython-311-x86_64-linux-gnu.so",
        "google/_upb/_message.abi3.so",
        "6ec57f84__mypyc.cpython-311-x86_64-linux-gnu.so",
        "numbers.libs/libgomp-1.so",
        "pymongo/_cmessage.cpython-311-x86_64-linux-gnu.so",
        "isal/igzip.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert compiled_modules(tmp_path) == ["6ec57f84__mypyc", "google._upb._message", "isal.igzip_lib"]


def test_only_the_metadata_of_packages_stays(tmp_path: Path) -> None:
    metadata = tmp_path / "_internal/websockets-1.0.dist-info"
    (metadata / "licenses").mkdir(parents=True)
    for name in (
        "METADATA",
        "RECORD",
        "INSTALLER",
        "direct_url.json",
        "entry_points.txt",
        "licenses/LICENSE",
    ):
        (metadata / name).touch()
    (tmp_path / "RECORD").touch()
    remove_installation_records(tmp_path)
    kept = {str(path.relative_to(metadata)) for path in metadata.rglob("*") if path.is_file()}
    assert kept == {"METADATA", "entry_points.txt", "licenses/LICENSE"}
    assert (tmp_path / "RECORD").exists()


def test_the_tables_of_pyinstaller_name_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "PYZ-00.toc").write_text("('/w/PYZ.pyz',\n [('a.b', '/site/a/b.py', 'PYMODULE-1')])")
    (tmp_path / "COLLECT-00.toc").write_text(
        "([('libz.so.1', '/lib/libz.so.1', 'BINARY'), ('o', '', 'OPTION'), ('a.b', '/site/a/b.py', 'PYMODULE')],\n"
        " True, None, 12.5)"
    )
    assert set(sources_in(tmp_path.glob("*.toc"))) == {
        Source(Path("/lib/libz.so.1"), "BINARY"),
        Source(Path("/site/a/b.py"), "PYMODULE"),
    }


def test_the_archive_is_named_by_version_and_processor() -> None:
    assert release_name() == f"poolworker-{version()}-linux-{platform.machine()}"
