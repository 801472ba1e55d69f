"""The TLS identity of a process: new files are loaded, unusable ones refused, an expiry reported."""

from datetime import timedelta
from pathlib import Path

import pytest
from certificates import Authority, identity_of, replace
from structlog.testing import capture_logs
from workerpool_kit.health import Health
from workerpool_kit.tls.identity import WARN_DAYS, TlsIdentity, identity
from workerpool_kit.tls.material import TlsFiles


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_new_files_are_taken_and_listeners_told(authority: Authority) -> None:
    own = TlsIdentity(authority.issue())
    told: list[str] = []
    forget = own.on_change(lambda: told.append("changed"))
    before = own.material
    assert not own.refresh()
    authority.issue()
    assert own.refresh()
    assert own.material.chain != before.chain
    assert told == ["changed"]
    forget()
    authority.issue()
    assert own.refresh()
    assert told == ["changed"]


def test_a_half_written_pair_keeps_the_former_one_until_it_is_complete(authority: Authority) -> None:
    files = authority.issue()
    own = TlsIdentity(files)
    before = own.material
    other = authority.issue("other")
    assert other.certificate is not None
    assert other.key is not None
    replace(files.certificate, other.certificate.read_bytes())
    with capture_logs() as logs:
        assert not own.refresh()
        assert not own.refresh()
    assert [line["event"] for line in logs] == ["tls.reload_refused"]
    assert own.material is before
    replace(files.key, other.key.read_bytes())
    assert own.refresh()


def test_a_certificate_that_expires_soon_is_reported_once_a_day(authority: Authority) -> None:
    health = Health()
    with capture_logs() as logs:
        own = TlsIdentity(authority.issue(days=WARN_DAYS - 1))
        own.show_in(health)
        own.check_expiry()
    assert [line["event"] for line in logs] == ["certificate.expiry_approached"]
    shown = health.snapshot()["components"]["certificate"]
    assert shown["status"] == "UP"
    assert "write a new certificate" in shown["details"]["advice"]
    expires = own.material.expires
    assert expires is not None
    with capture_logs() as logs:
        own.check_expiry(expires + timedelta(seconds=1))
    assert [line["event"] for line in logs] == ["certificate.expired"]
    assert not health.is_up


def test_a_fresh_certificate_is_no_news(authority: Authority) -> None:
    health = Health()
    with capture_logs() as logs:
        TlsIdentity(authority.issue(days=60)).show_in(health)
    assert logs == []
    assert "advice" not in health.snapshot()["components"]["certificate"]["details"]


def test_a_process_without_files_shows_no_certificate(authority: Authority) -> None:
    health = Health()
    own = TlsIdentity(TlsFiles(ca=authority.file))
    own.show_in(health)
    assert health.snapshot()["components"] == {}
    assert (own.server_context(), own.server_credentials(), own.serves_tls) == (None, None, False)


def test_the_identity_of_the_process_is_without_files_until_it_is_set(authority: Authority) -> None:
    assert not identity().serves_tls
    with identity_of(authority.issue()) as own:
        assert identity() is own
    assert not identity().serves_tls
