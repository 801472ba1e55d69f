"""This process as a client: certificates that cannot be used are named."""

from pathlib import Path

import pytest
from certificates import Authority
from poolctl.adapters.process import prepare
from poolctl.errors import UnusableSettings
from poolctl.settings import PoolctlSettings
from workerpool_kit.tls.cleartext import check_cleartext
from workerpool_kit.tls.identity import identity


def test_certificates_and_cleartext_are_applied(tmp_path: Path) -> None:
    files = Authority(tmp_path).issue()
    settings = PoolctlSettings(
        tls_ca=files.ca, tls_certificate=files.certificate, tls_key=files.key, allow_cleartext=True
    )
    prepare(settings, verbose=False)
    assert identity().material.expires is not None
    check_cleartext("http://far.example:1", "a password")


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSettings, match="belong together"):
        prepare(PoolctlSettings(tls_certificate=tmp_path / "x.pem"), verbose=False)


def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableSettings, match=r"ca\.pem cannot be read"):
        prepare(PoolctlSettings(tls_ca=tmp_path / "ca.pem"), verbose=False)
