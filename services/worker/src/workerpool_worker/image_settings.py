"""Settings of the images of apps: credentials for registries, pulls, and the space that images take."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, SecretStr, model_validator
from workerpool_kit.settings.base import env, secret
from workerpool_kit.settings.outside import OutsideSettings
from workerpool_kit.settings.types import DurationSeconds

from workerpool_worker.domain.fetching.registries import DOCKER_HUB, credentials_defect, registry_key


class ImageSettings(OutsideSettings):
    """Mix-in of the worker's settings."""

    model_config = ConfigDict(frozen=True)

    registry_username_0: str = env("IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_0", "", doc="User at docker.io")
    registry_password_0: SecretStr | None = secret(
        "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_0", None, doc="Password at docker.io"
    )
    registry_address_1: str = env(
        "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1", "", doc="Address of a further registry"
    )
    registry_username_1: str = env("IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1", "", doc="User at that registry")
    registry_password_1: SecretStr | None = secret(
        "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_1", None, doc="Password at that registry"
    )
    pull_min_s: DurationSeconds = env(
        "IEXEC_WORKER_DOCKER_IMAGE_MIN_PULL_TIMEOUT",
        "PT5M",
        doc="Lower bound of the time limit of an image pull",
    )
    pull_max_s: DurationSeconds = env(
        "IEXEC_WORKER_DOCKER_IMAGE_MAX_PULL_TIMEOUT",
        "PT30M",
        doc="Upper bound of the time limit of an image pull",
    )

    image_max_bytes: Annotated[int, Field(gt=0)] = env(
        "WORKERPOOL_WORKER_DOCKER_IMAGE_MAX_BYTES",
        32 << 30,
        doc="Most compressed bytes of an app's image; a larger one is not pulled",
    )

    image_floor_bytes: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_WORKER_DOCKER_IMAGE_FREE_BYTES",
        5 << 30,
        doc="Free disk space in bytes that images leave: below it the worker removes images that it pulled itself, the "
        "longest unused first; it removes no other image",
    )
    image_keep_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_DOCKER_IMAGE_KEEP",
        "P30D",
        doc="Time without a task after which the worker removes an image that it pulled itself",
    )

    @model_validator(mode="after")
    def _credentials_are_complete(self) -> Self:
        for number, user, word in (
            (0, self.registry_username_0, self.registry_password_0),
            (1, self.registry_username_1, self.registry_password_1),
        ):
            if bool(user) != (word is not None):
                prefix = "IEXEC_WORKER_DOCKER_REGISTRY_"
                raise ValueError(
                    f"{prefix}PASSWORD_{number}: set both it and {prefix}USERNAME_{number}, or neither"
                )
        if self.registry_username_1 and not self.registry_address_1:
            raise ValueError(
                "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1: set it, because IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1 "
                "is set"
            )
        return self

    @property
    def registries(self) -> dict[str, tuple[str, str]]:
        """User and password by registry address, in the spelling of `registry_key`."""
        found: dict[str, tuple[str, str]] = {}
        if self.registry_username_1 and self.registry_password_1:
            found[registry_key(self.registry_address_1)] = (
                self.registry_username_1,
                self.registry_password_1.get_secret_value(),
            )
        if self.registry_username_0 and self.registry_password_0:
            found[DOCKER_HUB] = (self.registry_username_0, self.registry_password_0.get_secret_value())
        return found

    def unused_credentials(self) -> list[tuple[str, str]]:
        """Return the variables of credentials that no image can match, each with the reason."""
        address = "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1"
        if not self.registry_address_1:
            return []
        if not self.registry_username_1:
            return [
                (address, "it has no effect without IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1 and its password")
            ]
        if defect := credentials_defect(self.registry_address_1):
            return [(address, defect)]
        if registry_key(self.registry_address_1) == DOCKER_HUB and self.registry_username_0:
            return [
                (address, "it is Docker Hub, whose credentials IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_0 names")
            ]
        return []
