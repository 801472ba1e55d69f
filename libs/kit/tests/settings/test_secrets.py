"""Well-known passwords and files that other users can read are found at the start."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from workerpool_kit.settings.base import Settings, env, secret
from workerpool_kit.settings.environment import load
from workerpool_kit.settings.secrets import check_password, exposed_files


class WalletSettings(Settings):
    wallet: Path = env("WALLET", doc="Key store", secret_file=True)
    folder: Path = env("FOLDER", Path("/tmp"), doc="No secret")
    password: SecretStr = secret("PASSWORD", "x", doc="Password", aliases=("OLD_PASSWORD",))


@pytest.mark.parametrize("password", ["whatever", "WHATEVER", "admin", "changeme", ""])
def test_a_well_known_password_is_refused_when_a_host_is_remote(password: str) -> None:
    with pytest.raises(ValueError, match=r"^THE_PASSWORD: .*, but BIND is 10\.0\.0\.1; set a password"):
        check_password("THE_PASSWORD", SecretStr(password), {"LOCAL": "127.0.0.1", "BIND": "10.0.0.1"})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST."])
def test_a_well_known_password_is_accepted_on_loopback(host: str) -> None:
    check_password("THE_PASSWORD", SecretStr("whatever"), {"BIND": host})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost.example", "10.0.0.1", "core"])
def test_every_other_host_is_remote(host: str) -> None:
    check_password("THE_PASSWORD", SecretStr("of our own"), {"BIND": host})
    with pytest.raises(ValueError, match="well-known"):
        check_password("THE_PASSWORD", SecretStr("whatever"), {"BIND": host})


@pytest.mark.parametrize(
    ("mode", "exposed"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o444, True)]
)
@pytest.mark.parametrize("variable", ["WALLET", "PASSWORD_FILE", "OLD_PASSWORD_FILE"])
def test_a_secret_file_that_others_can_read_is_named(
    tmp_path: Path, variable: str, mode: int, exposed: bool
) -> None:
    file, closed = tmp_path / "secret", tmp_path / "closed"
    file.write_text("s")
    file.chmod(mode)
    closed.touch(0o600)
    environ = {"WALLET": str(closed), variable: str(file)}
    found = [(each.variable, each.path) for each in exposed_files(load(WalletSettings, environ), environ)]
    assert found == ([(variable, file)] if exposed else [])


def test_a_missing_file_is_left_to_its_reader(tmp_path: Path) -> None:
    assert not list(exposed_files(load(WalletSettings, {"WALLET": str(tmp_path / "none")}), {}))
