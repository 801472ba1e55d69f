"""The network of apps follows what this machine permits."""

import os

import pytest
from workerpool_devnet.services.app_network import app_network


@pytest.fixture(autouse=True)
def fresh() -> None:
    app_network.cache_clear()


def test_without_nft_apps_have_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workerpool_devnet.services.app_network.shutil.which", lambda *_, **__: None)
    assert app_network() == "none"


def test_with_an_engine_elsewhere_apps_have_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.9:2375")
    assert app_network() == "none"


@pytest.mark.skipif(os.geteuid() == 0, reason="NOT A PLAIN USER: root may set firewall rules")
def test_a_plain_user_sets_no_rules() -> None:
    assert app_network() == "none"
