"""Settings of images: credentials by registry, and those without effect."""

import pytest
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_worker.image_settings import ImageSettings
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.test_settings import NEEDED


def settings(**changes: str) -> ImageSettings:
    return load(WorkerSettings, NEEDED | changes)


def test_credentials_by_registry() -> None:
    assert settings().registries == {}
    found = settings(
        IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_0="u",
        IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_0="p",
        IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1="reg:5000",
        IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1="v",
        IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_1="q",
    )
    assert found.registries == {"docker.io": ("u", "p"), "reg:5000": ("v", "q")}
    assert found.unused_credentials() == []


@pytest.mark.parametrize("given", ["USERNAME", "PASSWORD"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_registry_without_a_password_or_a_user_ends_the_start(given: str, number: int) -> None:
    """Scenario 13: a registry that has a user and no password, or the reverse."""
    variables = {
        "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1": "reg:5000",
        f"IEXEC_WORKER_DOCKER_REGISTRY_{given}_{number}": "x",
    }
    with pytest.raises(SettingsError, match=f"PASSWORD_{number}: set both"):
        settings(**variables)


def credentials(address: str, **others: str) -> ImageSettings:
    return settings(
        IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1=address,
        IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1="v",
        IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_1="q",
        **others,
    )


def test_the_address_of_a_registry_has_one_spelling() -> None:
    assert credentials("https://REG.test:5000/v1/").registries == {"reg.test:5000": ("v", "q")}
    assert credentials("https://index.docker.io/v1/").registries == {"docker.io": ("v", "q")}


HUB = {"IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_0": "u", "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_0": "p"}


def test_credentials_without_effect_are_named() -> None:
    alone = settings(IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1="reg.test")
    twice = credentials("index.docker.io", **HUB)
    assert twice.registries == {"docker.io": ("u", "p")}
    for found, reason in (
        (alone, "USERNAME_1"),
        (credentials("registry"), "no image name begins with registry/"),
        (twice, "USERNAME_0"),
    ):
        ((variable, text),) = found.unused_credentials()
        assert variable == "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1"
        assert reason in text
