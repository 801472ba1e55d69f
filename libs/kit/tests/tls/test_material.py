"""Certificate files as they are read: consistent, or refused in words."""

from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from certificates import Authority
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from workerpool_kit.tls.material import TlsError, TlsFiles, days_left, read_material


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_without_files_nothing_is_served_by_tls() -> None:
    material = read_material(TlsFiles())
    assert (material.server, material.client, material.chain, material.expires) == (None, None, None, None)


def test_a_certificate_with_its_key_and_its_authorities_is_read(authority: Authority) -> None:
    files = authority.issue(days=30, mutual=True)
    material = read_material(files)
    assert material.server is not None
    assert material.client_ca == authority.file.read_bytes()
    assert material.expires is not None
    assert 29 < days_left(material.expires) < 31


def test_the_key_of_another_certificate_is_refused(authority: Authority) -> None:
    files = changed(authority.issue("one"), key=authority.issue("two").key)
    with pytest.raises(TlsError, match=r"one\.pem and .*two\.key cannot be used together"):
        read_material(files)


def test_an_encrypted_key_is_refused_without_a_question_at_the_terminal(authority: Authority) -> None:
    files = authority.issue()
    assert files.key is not None
    key = load_pem_private_key(files.key.read_bytes(), None)
    encrypted = key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"word")
    )
    files.key.write_bytes(encrypted)
    with pytest.raises(TlsError, match="without a password"):
        read_material(files)


@pytest.mark.parametrize("part", ["certificate", "ca", "client_ca"])
def test_a_file_without_a_certificate_is_named(authority: Authority, part: str) -> None:
    wrong = authority.folder / "wrong.pem"
    wrong.write_text("no certificate")
    with pytest.raises(TlsError, match=r"wrong\.pem holds no certificate in PEM form"):
        read_material(changed(authority.issue(mutual=True), **{part: wrong}))


def test_a_missing_file_is_named(authority: Authority) -> None:
    with pytest.raises(TlsError, match=r"gone\.pem cannot be read: No such file"):
        read_material(changed(authority.issue(), certificate=authority.folder / "gone.pem"))


def test_days_left_are_negative_after_the_expiry() -> None:
    now = datetime(2030, 1, 2, tzinfo=UTC)
    assert days_left(now - timedelta(hours=12), now) == -0.5
