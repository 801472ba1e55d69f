"""The start of the frozen program: its OpenSSL finds the authorities of a system that keeps them elsewhere."""

from pathlib import Path

import pytest

from services.worker.packaging.entry import AUTHORITIES, finds_authorities, name_authorities

BUNDLED = Path("/program/cacert.pem")


def test_a_file_or_a_folder_with_authorities_is_enough(tmp_path: Path) -> None:
    assert finds_authorities("/any/file", None)
    assert not finds_authorities(None, None)
    assert not finds_authorities(None, str(tmp_path))
    (tmp_path / "authority.pem").touch()
    assert finds_authorities(None, str(tmp_path))


def test_the_first_file_that_this_system_has_is_named(tmp_path: Path) -> None:
    places = [tmp_path / "debian", tmp_path / "redhat", tmp_path / "suse"]
    for place in places[1:]:
        place.touch()
    environ: dict[str, str] = {}
    name_authorities(environ, places, BUNDLED)
    assert environ == {"SSL_CERT_FILE": str(tmp_path / "redhat")}


def test_a_system_without_authorities_gets_the_bundled_ones(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    name_authorities(environ, [tmp_path / "missing"], BUNDLED)
    assert environ == {"SSL_CERT_FILE": str(BUNDLED)}


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_operators_choice_stays(name: str) -> None:
    environ = {name: "/chosen"}
    name_authorities(environ, AUTHORITIES, BUNDLED)
    assert environ == {name: "/chosen"}
