"""The environment of a command: settings and TLS, with a refusal that names the variable."""

from pathlib import Path

import pytest
from certificates import Authority
from workerpool_kit.settings.environment import SettingsError
from workerpool_kit.tls import cleartext
from workerpool_kit.tls.identity import identity
from workerpool_kit.tls.material import TlsError
from workerpool_worker.cli.environment import NAME, enter, own_version

from services.worker.tests.harness.builders import WORKER


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_ADDRESS", WORKER)


def test_the_pool_alone_is_enough() -> None:
    settings = enter()
    assert (settings.pool_address, settings.core) == (WORKER, "http://localhost:13000")


def test_a_missing_variable_is_named_with_its_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POOL_ADDRESS")
    with pytest.raises(SettingsError) as refusal:
        enter()
    assert refusal.value.problems == (
        "POOL_ADDRESS: not set, and there is no default (On-chain address of the workerpool this worker serves)",
    )


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_ADDRESS", "0x12")
    monkeypatch.setenv("IEXEC_WORKER_PORT", "many")
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PASWORD", "typo")
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PASSWORD_FILE", "/nowhere/password")
    with pytest.raises(SettingsError) as refusal:
        enter()
    assert [each.partition(":")[0] for each in refusal.value.problems] == [
        "IEXEC_WORKER_PORT",
        "IEXEC_WORKER_WALLET_PASSWORD_FILE",
        "IEXEC_WORKER_WALLET_PASWORD",
        "POOL_ADDRESS",
    ]
    assert "did you mean IEXEC_WORKER_WALLET_PASSWORD?" in refusal.value.problems[2]


def test_a_certificate_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKERPOOL_TLS_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(TlsError, match=r"ca\.pem"):
        enter()


def test_the_process_trusts_the_authorities_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = Authority(tmp_path).file
    monkeypatch.setenv("WORKERPOOL_TLS_CA", str(bundle))
    enter()
    assert identity().material.ca == bundle.read_bytes()


@pytest.mark.parametrize("allowed", [True, False])
def test_cleartext_is_allowed_for_the_whole_process_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    monkeypatch.setenv("WORKERPOOL_ALLOW_CLEARTEXT", str(allowed).lower())
    enter()
    if allowed:
        cleartext.check_cleartext("http://core.example:13000", "a token")
    else:
        with pytest.raises(cleartext.CleartextRefused):
            cleartext.check_cleartext("http://core.example:13000", "a token")


def test_the_version_is_that_of_the_worker() -> None:
    assert NAME == "poolworker"
    assert own_version()[0].isdigit()
