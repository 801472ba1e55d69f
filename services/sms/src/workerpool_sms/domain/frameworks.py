"""TEE frameworks, and the images of the stages around an app (worker spec D, `/tee/properties`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workerpool_poco.protocol.tags import TeeFramework, tee_framework

from workerpool_sms.errors import UnknownFrameworkVersion, WrongFramework


class Framework(StrEnum):
    """The TEE frameworks, in the spelling of settings."""

    SCONE = "scone"
    GRAMINE = "gramine"
    TDX = "tdx"

    @property
    def label(self) -> str:
        """The spelling in HTTP responses."""
        return self.value.upper()


_OF_TAG = {
    TeeFramework.SCONE: Framework.SCONE,
    TeeFramework.GRAMINE: Framework.GRAMINE,
    TeeFramework.TDX: Framework.TDX,
}


def framework_of(tag: bytes) -> Framework | None:
    """Return the framework in a deal's tag; None for a standard task."""
    found = tee_framework(tag)
    return None if found is None else _OF_TAG[found]


@dataclass(frozen=True, slots=True)
class EnclaveImage:
    """An image that runs in an enclave; `heap_bytes` is 0 where the framework has no heap size."""

    image: str
    fingerprint: str = ""
    entrypoint: str = ""
    heap_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ServiceProperties:
    """The images of one framework version: before the app, after it, and SCONE's local attestation service."""

    version: str
    pre_compute: EnclaveImage
    post_compute: EnclaveImage
    las_image: str = ""


@dataclass(frozen=True, slots=True)
class FrameworkProperties:
    """The framework that an SMS serves and the images of its versions, the default one first."""

    framework: Framework
    versions: Mapping[str, ServiceProperties] = field(default_factory=dict)

    def of_version(self, framework: Framework, version: str) -> ServiceProperties:
        """Return the images of a version. Raises WrongFramework or UnknownFrameworkVersion."""
        if framework is not self.framework:
            raise WrongFramework(
                f"this SMS serves {self.framework.label}, not {framework.label}; use the SMS that the platform "
                f"registry lists for {framework.label}"
            )
        if version not in self.versions:
            known = ", ".join(self.versions) or "none"
            raise UnknownFrameworkVersion(
                f"this SMS has no images for version {version} of {framework.label} (known: {known}); use a "
                "known version"
            )
        return self.versions[version]

    @property
    def default(self) -> ServiceProperties | None:
        """The images for an app without a version; None when no version is configured."""
        return next(iter(self.versions.values()), None)
