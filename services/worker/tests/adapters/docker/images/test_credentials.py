"""Credentials for a registry, whatever is wrong with the Docker configuration or its helpers."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.credentials import ANONYMOUS, RegistryCredentials
from workerpool_worker.errors import DockerUnavailable

AUTH = base64.b64encode(b"me:pass:word").decode()
MINE = {"username": "me", "password": "pass:word"}


@pytest.fixture
def found(tmp_path: Path) -> Any:
    """Return the credentials that a Docker configuration yields."""

    def credentials(config: Any, registry: str = "reg.test") -> dict[str, str]:
        file = tmp_path / "config.json"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        auth = dict(RegistryCredentials({}, file).of(registry).auth)
        auth.pop("serveraddress", None)
        return auth

    return credentials


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a credential helper."""

    def install(script: str) -> None:
        program = tmp_path / "docker-credential-test"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


@pytest.mark.parametrize("registry", ["reg.test", "REG.test", "reg.test:443", "https://reg.test/v1/"])
def test_the_settings_come_first_in_any_spelling(tmp_path: Path, registry: str) -> None:
    """Scenario 13: a known registry has its credentials, an unknown one has none."""
    credentials = RegistryCredentials({"https://Reg.test/": ("u", "p")}, tmp_path)
    assert credentials.is_configured(registry)
    assert credentials.of(registry).auth == {"username": "u", "password": "p", "serveraddress": "reg.test"}
    assert credentials.of("other.test") is ANONYMOUS


def test_docker_hub_has_the_address_that_the_engine_expects() -> None:
    auth = RegistryCredentials({"docker.io": ("u", "p")}).of("docker.io").auth
    assert auth["serveraddress"] == "https://index.docker.io/v1/"


@pytest.mark.parametrize("address", ["reg.test", "https://reg.test/v1/", "REG.test:443"])
def test_the_docker_configuration_is_read_in_any_spelling(found: Any, address: str) -> None:
    assert found({"auths": {address: {"auth": AUTH}}}) == MINE
    assert found({"auths": {address: {"identitytoken": "t"}}}) == {"identitytoken": "t"}
    assert found({"auths": {address: {}}}) == {}


@pytest.mark.parametrize(
    "config",
    [
        "",
        "{",
        "[]",
        "null",
        '{"auths": []}',
        '{"auths": {"reg.test": "x"}}',
        '{"auths": {"reg.test": {"auth": "!"}}}',
        '{"auths": {"reg.test": {"auth": "bWU="}}}',
        '{"auths": {"reg.test": {"auth": 5}}}',
        '{"credHelpers": []}',
        '{"credsStore": "no-such-helper"}',
        '{"credHelpers": {"reg.test": "no-such-helper"}}',
    ],
)
def test_a_broken_configuration_leaves_the_pull_without_credentials(found: Any, config: str) -> None:
    assert found(config) == {}


def test_a_broken_entry_does_not_affect_others(found: Any) -> None:
    config = {
        "auths": {"bad.test": {"auth": "!"}, "reg.test": {"auth": AUTH}},
        "credsStore": "no-such-helper",
    }
    assert found(config) == MINE


def test_a_helper_is_called(found: Any, helper: Any) -> None:
    helper('read server; echo "{\\"Username\\": \\"u\\", \\"Secret\\": \\"of $server\\"}"')
    assert found({"credsStore": "test"}) == {"username": "u", "password": "of reg.test"}
    assert found({"credHelpers": {"reg.test": "test"}}) == {"username": "u", "password": "of reg.test"}
    assert found({"credHelpers": {"other.test": "test"}}) == {}


def test_a_helper_may_hold_a_token(found: Any, helper: Any) -> None:
    helper('echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"t\\"}"')
    assert found({"credsStore": "test"}) == {"identitytoken": "t"}


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo credentials not found in native keychain; exit 1",
        "echo no JSON",
        "echo {}",
        "sleep 600",
    ],
)
def test_a_broken_helper_does_not_fail_a_pull(
    found: Any, helper: Any, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workerpool_worker.adapters.docker.images.credentials._HELPER_LIMIT_S", 0.2)
    helper(script)
    assert found({"credsStore": "test"}) == {}
    assert found({"credsStore": "test", "auths": {"reg.test": {"auth": AUTH}}}) == MINE


def test_a_broken_configuration_does_not_fail_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text('{"auths": {"reg.test": "x"}, "proxies": 5}')
    connection = DockerConnection(pool_size=1, base_url="unix:///no/such/engine.sock")
    with pytest.raises(Exception, match="No such file") as failed:
        connection.client()
    assert not isinstance(failed.value, DockerUnavailable)
