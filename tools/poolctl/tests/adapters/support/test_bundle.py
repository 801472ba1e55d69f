"""The support bundle: no secret enters it, and what cannot be read is named."""

import tarfile
from pathlib import Path

import pytest
from poolctl.adapters.checks.host_facts import secrets_in
from poolctl.adapters.support.bundle import Bundle, fill
from poolctl.domain.redaction import Redaction
from poolctl.errors import CommandFailed, Unreachable
from poolctl.settings import read_settings
from workerpool_devnet.processes.ports import free_service_ports

SECRETS = {
    "PROD_CHAIN_ADAPTER_PASSWORD": "secret-of-the-adapter",
    "PROD_MONGO_PASSWORD": "secret-of-mongo",
    "PROD_GRAFANA_ADMIN_PASSWORD": "secret-of-grafana",
    "PROD_CORE_WALLET_PASSWORD": "secret-of-core-wallet",
    "PROD_WALLET_PASSWORD": "secret-of-the-worker",
    "IEXEC_CORE_OPERATOR_PASSWORD": "secret-of-the-operator",
    "ADMINPASSWORD": "secret-of-seed-000",
    "JWTETHSECRET": "secret-of-tokens",
    "MONGO_URI": "mongodb://user:secret-in-a-uri@mongo:27017/",
    "CHAIN_URL": "https://user:secret-in-a-url@node.example/v3/0123456789abcdef0123456789abcdef",
}
VALUES = [value for name, value in SECRETS.items() if "_UR" not in name] + [
    "secret-in-a-uri",
    "secret-in-a-url",
    "0123456789abcdef0123456789abcdef",
]


async def test_no_secret_of_the_settings_is_in_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret-in-a-file\n")
    (tmp_path / "logs").mkdir()
    # Services log no secrets; support must not get one even if a service did.
    leaks = "\n".join([f"leak {value} end" for value in VALUES] + ["leak secret-in-a-file"])
    (tmp_path / "logs" / "core.log").write_text(leaks)
    url = f"http://127.0.0.1:{free_service_ports().http}"
    variables = SECRETS | {
        "ORDER_PUBLISHER_OPERATOR_PASSWORD_FILE": "password",
        "POOLCTL_SERVICE_LOGS": str(tmp_path / "logs"),
        "IEXEC_CORE_URL": url,
        "IEXEC_CORE_CHAIN_ADAPTER_URL": url,
        "IEXEC_CONFIG_SERVER_URL": url,
        "IEXEC_RESULT_REPOSITORY_URL": url,
        "ORDER_PUBLISHER_URL": url,
    }
    settings = read_settings({"POOLCTL_POOL_DIR": str(tmp_path)}, variables, {})
    bundle = Bundle(Redaction(secrets_in(variables, tmp_path)))
    await fill(
        bundle, settings, variables, tmp_path, now=1.7e9, version="1", log_lines=100, say=lambda _: None
    )
    bundle.write(tmp_path / "bundle.tar.gz", "bundle", 1.7e9)

    with tarfile.open(tmp_path / "bundle.tar.gz") as archive:
        contents = {each.name: archive.extractfile(each).read().decode() for each in archive}  # type: ignore[union-attr]
    assert {
        "bundle/settings.json",
        "bundle/doctor.json",
        "bundle/logs/core.log",
        "bundle/missing.json",
    } <= contents.keys()
    assert "PROD_MONGO_PASSWORD" in contents["bundle/settings.json"]
    assert "leak *** end" in contents["bundle/logs/core.log"]
    for value in (*VALUES, "secret-in-a-file"):
        found = [name for name, text in contents.items() if value in text]
        assert not found, f"{value} is in {found}"


async def test_what_cannot_be_read_is_named() -> None:
    async def fails() -> None:
        raise Unreachable("core at http://x does not answer")

    bundle = Bundle(Redaction())
    await bundle.ask("pool.json", fails())
    assert bundle.missing == {"pool.json": "core at http://x does not answer"}


def test_an_archive_is_its_owners_and_never_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    Bundle(Redaction()).write(path, "bundle", 0)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandFailed, match="cannot be written"):
        Bundle(Redaction()).write(path, "bundle", 0)
