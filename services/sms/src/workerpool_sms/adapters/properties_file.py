"""The images of framework versions, from a JSON file.

    {"versions": {"v5": {
        "pre_compute":  {"image": "…", "fingerprint": "…", "entrypoint": "…", "heap_bytes": 3221225472},
        "post_compute": {"image": "…", "fingerprint": "…", "entrypoint": "…", "heap_bytes": 3221225472},
        "las_image": "…"}}}

The first version serves apps without a version.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workerpool_sms.domain.frameworks import (
    EnclaveImage,
    Framework,
    FrameworkProperties,
    ServiceProperties,
)


class PropertiesUnusable(Exception):
    """The file cannot be used, as the message says."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Image(_Strict):
    image: str = Field(min_length=1)
    fingerprint: str = ""
    entrypoint: str = ""
    heap_bytes: int = Field(0, ge=0)

    def value(self) -> EnclaveImage:
        return EnclaveImage(self.image, self.fingerprint, self.entrypoint, self.heap_bytes)


class _Version(_Strict):
    pre_compute: _Image
    post_compute: _Image
    las_image: str = ""


class _File(_Strict):
    versions: dict[str, _Version]


def read_properties(path: Path | None, framework: Framework) -> FrameworkProperties:
    """Return the images of a file; none without a file. Raises PropertiesUnusable."""
    if path is None:
        return FrameworkProperties(framework)
    try:
        content = _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise PropertiesUnusable(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the text"
        raise PropertiesUnusable(f"{path}: {where}: {first['msg']}") from error
    return FrameworkProperties(
        framework,
        {
            name: ServiceProperties(name, each.pre_compute.value(), each.post_compute.value(), each.las_image)
            for name, each in content.versions.items()
        },
    )
