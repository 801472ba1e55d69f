"""Registries: one spelling for many, and which credentials an image can match."""

import pytest
from workerpool_worker.domain.fetching.registries import (
    DOCKER_HUB,
    credentials_defect,
    is_large_registry,
    registry_key,
    registry_of,
)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "docker.io",
        "Docker.IO",
        "index.docker.io",
        "https://index.docker.io/v1/",
        "registry-1.docker.io",
        "https://registry.hub.docker.com/v2/",
        " docker.io/ ",
        "docker.io:443",
    ],
)
def test_docker_hub_has_one_spelling(address: str) -> None:
    assert registry_key(address) == DOCKER_HUB
    assert credentials_defect(address) == ""


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://reg.test/v1/", "reg.test"),
        ("http://reg.test", "reg.test"),
        ("//reg.test/", "reg.test"),
        ("REG.Test:5000/", "reg.test:5000"),
        ("reg.test:443", "reg.test"),
        ("https://reg.test:443/v2/", "reg.test"),
        ("reg.test.", "reg.test"),
        ("reg:5000", "reg:5000"),
        ("localhost", "localhost"),
        ("https://[::1]:5000/", "[::1]:5000"),
        ("ghcr.io/me", "ghcr.io"),
    ],
)
def test_another_registry_has_one_spelling(address: str, key: str) -> None:
    assert registry_key(address) == key
    assert registry_key(key) == key
    assert credentials_defect(address) == ""


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("registry", "no image name begins with registry/"),
        ("https://registry/v1/", "no image name begins with registry/"),
        ("my registry.test", "not the address of a registry"),
        ("reg..test", "not the address of a registry"),
        ("user@reg.test", "not the address of a registry"),
        ("reg.test:99999", "99999 is not a port"),
        ("reg.test:0", "0 is not a port"),
        ("reg.test:port", "not the address of a registry"),
    ],
)
def test_credentials_that_no_image_can_match_are_named(address: str, reason: str) -> None:
    assert reason in credentials_defect(address)


def test_registry_is_the_first_segment_if_that_is_a_host() -> None:
    """Scenario 13: an image without registry is of docker.io."""
    assert registry_of("me/app:1") == registry_of("app:1") == DOCKER_HUB
    assert registry_of("localhost/app:1") == "localhost"
    assert registry_of("reg.example.com:5000/app:1") == "reg.example.com:5000"


@pytest.mark.parametrize(
    "registry", ["docker.io", "ghcr.io", "GHCR.io", "quay.io", "eu.gcr.io", "europe-docker.pkg.dev"]
)
def test_large_registries_are_not_a_requesters(registry: str) -> None:
    assert is_large_registry(registry)


@pytest.mark.parametrize("registry", ["ghcr.io.evil.test", "evilghcr.io", "127.0.0.1:5000", "localhost"])
def test_other_registries_may_be_a_requesters(registry: str) -> None:
    assert not is_large_registry(registry)
