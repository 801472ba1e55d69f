"""Passwords, secrets and room of the pool's folder, on real files."""

from pathlib import Path

from certificates import Authority
from poolctl.adapters.checks.host_facts import (
    certificates,
    exposed_files,
    secrets_in,
    volumes,
    weak_passwords,
)
from poolctl.settings import PoolctlSettings


def test_default_and_short_passwords_are_found_in_values_files_and_uris(tmp_path: Path) -> None:
    (tmp_path / "weak").write_text("Whatever\n")
    (tmp_path / "strong").write_text("a-long-random-password\n")
    variables = {
        "PROD_MONGO_PASSWORD": "changeme",
        "ADMINPASSWORD": "short",
        "PROD_GRAFANA_ADMIN_PASSWORD": "a-long-random-password",
        "PROD_WALLET_PASSWORD_FILE": "weak",
        "PROD_CORE_WALLET_PASSWORD_FILE": "strong",
        "IEXEC_X_PASSWORD_FILE": "absent",
        "MONGO_URI": "mongodb://u:admin@mongo/",
        "IEXEC_CORE_HOST": "admin",
    }
    assert weak_passwords(variables, tmp_path) == (
        "PROD_MONGO_PASSWORD",
        "ADMINPASSWORD",
        "PROD_WALLET_PASSWORD",
        "MONGO_URI",
    )


def test_the_secrets_of_settings_include_those_in_files(tmp_path: Path) -> None:
    (tmp_path / "uri").write_text("mongodb://u:in-a-file@h/\n")
    (tmp_path / "password").write_text("on-a-line\n")
    variables = {
        "X_PASSWORD": "a-value",
        "Y_PASSWORD_FILE": "password",
        "HOST": "plain",
        "MONGO_URI_FILE": "uri",
    }
    found = secrets_in(variables, tmp_path)
    assert {"a-value", "on-a-line", "in-a-file"} <= found
    assert "plain" not in found


def test_files_with_secrets_that_others_can_read_are_found(tmp_path: Path) -> None:
    for name, mode in (("core_wallet.json", 0o644), ("password", 0o640), (".env", 0o644), ("closed", 0o600)):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
    variables = {"X_PASSWORD_FILE": "password", "Y_PASSWORD_FILE": "closed", "Z_PASSWORD": "x"}
    found = exposed_files(variables, tmp_path, PoolctlSettings())
    assert {Path(path).name for path in found} == {"core_wallet.json", "password", ".env"}


def test_an_env_file_without_secrets_may_be_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1")
    assert exposed_files({"A": "1"}, tmp_path, PoolctlSettings()) == {}


def test_a_volume_is_measured_once(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (found,) = volumes(tmp_path, PoolctlSettings(service_logs=tmp_path / "logs"))
    assert 0 < found.free_bytes <= found.total_bytes
    assert volumes(tmp_path / "absent", PoolctlSettings()) == ()


def test_the_certificate_of_the_settings_is_read(tmp_path: Path) -> None:
    files = Authority(tmp_path).issue(days=10)
    (found,) = certificates(PoolctlSettings(tls_certificate=files.certificate))
    assert found.expires is not None
    assert certificates(PoolctlSettings()) == ()
