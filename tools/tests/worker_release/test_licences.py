"""Every part of the program carries its licence text, or the build stops."""

import shutil
from pathlib import Path

import pytest
from worker_release.freeze import Frozen, Source
from worker_release.licences import collect
from worker_release.source import BuildError

DPKG = Path("/usr/bin/dpkg-query")
needs_dpkg = pytest.mark.skipif(not DPKG.exists(), reason="this system has no dpkg")


def distribution(site: Path, name: str, *, texts: tuple[str, ...], module: str) -> Path:
    """Install a package of one module; return the module's path."""
    folder = site / f"{name}-1.0.dist-info"
    for text in texts:
        (folder / text).parent.mkdir(parents=True, exist_ok=True)
        (folder / text).write_text(f"the words of {name}")
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: MIT\n"
    )
    (site / module).write_text("")
    files = [module, *(f"{folder.name}/{each}" for each in ("METADATA", *texts)), f"../../bin/{name}"]
    (folder / "RECORD").write_text("".join(f"{each},,\n" for each in files))
    return site / module


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = tmp_path / "work/venv/lib/site-packages"
    made.mkdir(parents=True)
    distribution(made, "pyinstaller", texts=("licenses/COPYING.txt",), module="freezer.py")
    return made


def frozen(site: Path, tmp_path: Path, *sources: Source) -> Frozen:
    return Frozen(tmp_path / "work/dist/poolworker", site, sources)


def test_texts_of_packages_that_are_parts_are_copied(site: Path, tmp_path: Path) -> None:
    used = distribution(site, "used", texts=("licenses/LICENSE", "licenses/vendor/COPYING"), module="used.py")
    distribution(site, "unused", texts=("LICENSE",), module="unused.py")
    target = tmp_path / "licenses"
    found = collect(frozen(site, tmp_path, Source(used, "PYMODULE")), target)
    assert [each.name for each in found] == ["pyinstaller", "python", "used"]
    assert (target / "used-1.0/LICENSE").read_text() == "the words of used"
    assert (target / "used-1.0/vendor/COPYING").exists()
    assert "used 1.0: MIT\n" in (target / "COMPONENTS.txt").read_text()
    assert next(target.glob("python-3.*/LICENSE.txt")).stat().st_size > 1_000


def test_a_package_without_a_text_stops_the_build(site: Path, tmp_path: Path) -> None:
    silent = distribution(site, "silent", texts=(), module="silent.py")
    with pytest.raises(BuildError, match=r"silent 1\.0 carries no licence text"):
        collect(frozen(site, tmp_path, Source(silent, "PYMODULE")), tmp_path / "licenses")


@needs_dpkg
def test_a_library_of_the_system_brings_the_text_of_its_debian_package(site: Path, tmp_path: Path) -> None:
    target = tmp_path / "licenses"
    collect(frozen(site, tmp_path, Source(DPKG, "BINARY")), target)
    (text,) = target.glob("dpkg-*/copyright")
    assert text.stat().st_size > 100


@needs_dpkg
def test_a_library_of_no_package_stops_the_build(
    site: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = tmp_path_factory.mktemp("elsewhere") / "libown.so"
    shutil.copyfile(DPKG, own)
    with pytest.raises(BuildError, match="no Debian package installed"):
        collect(frozen(site, tmp_path, Source(own, "BINARY")), tmp_path / "licenses")


def test_what_the_build_made_needs_no_text(site: Path, tmp_path: Path) -> None:
    made = Source(tmp_path / "work/build/base_library.zip", "DATA")
    link = Source(Path("libx.so.1"), "SYMLINK")
    found = collect(frozen(site, tmp_path, made, link), tmp_path / "licenses")
    assert [each.name for each in found] == ["pyinstaller", "python"]
