"""A session: the services of one run with their images, fingerprints and environments, as data."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import TaskId

from workerpool_sms.domain.frameworks import EnclaveImage, Framework, ServiceProperties
from workerpool_sms.domain.session.environments import (
    Environment,
    SessionInputs,
    app_stage_environment,
    post_environment,
    pre_environment,
    sign_environment,
)
from workerpool_sms.errors import EnclaveConfigInvalid, EnclaveConfigMissing

PRE_COMPUTE, APP, POST_COMPUTE = "pre-compute", "app", "post-compute"
"""Names of the services."""
_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ID_RANDOM, _ID_SEPARATOR = 10, "0000"


@dataclass(frozen=True, slots=True)
class SessionService:
    """One stage in an enclave."""

    name: str
    image: EnclaveImage
    environment: Environment = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """The data that a worker's run of a task may read; `services` are in the order of their runs."""

    session_id: str
    task_id: TaskId
    framework: Framework
    services: Sequence[SessionService]

    def to_json(self) -> dict[str, Any]:
        """Return the session in the form for the agent of a TDX machine (worker spec A.13)."""
        return {
            "session": self.session_id,
            "services": [
                {
                    "name": service.name,
                    "image_name": service.image.image,
                    "fingerprint": service.image.fingerprint,
                    "environment": service.environment,
                }
                for service in self.services
            ],
        }

    def encode(self) -> bytes:
        """Return the JSON text of `to_json`."""
        return json.dumps(self.to_json(), separators=(",", ":")).encode()


def session_id_of(task_id: TaskId, random: Iterable[int]) -> str:
    """Return ten random characters, `0000` and the task id; `random` yields numbers of any size."""
    numbers = iter(random)
    chosen = "".join(_ID_CHARACTERS[next(numbers) % len(_ID_CHARACTERS)] for _ in range(_ID_RANDOM))
    return f"{chosen}{_ID_SEPARATOR}{task_id}"


def app_image(image: str, mrenclave: bytes, framework: Framework) -> tuple[EnclaveImage, str]:
    """Return the app's image and its framework version, empty without one.

    TDX measures the whole machine, so its apps are registered without an enclave configuration. Raises
    EnclaveConfigMissing or EnclaveConfigInvalid for the other frameworks.
    """
    if not mrenclave:
        if framework is Framework.TDX:
            return EnclaveImage(image), ""
        raise EnclaveConfigMissing(
            f"the app is registered without an enclave configuration, which {framework.label} needs; register "
            "it with one"
        )
    try:
        found = loads_bounded(mrenclave.decode())
        config = EnclaveImage(
            image, str(found["fingerprint"]), str(found.get("entrypoint", "")), int(found.get("heapSize", 0))
        )
        named, version = str(found["framework"]).lower(), str(found.get("version", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EnclaveConfigInvalid(
            "the enclave configuration of the app is not JSON with framework, version and fingerprint; register the "
            "app again"
        ) from None
    if named != framework or config.heap_bytes < 0 or not config.fingerprint:
        raise EnclaveConfigInvalid(
            f"the enclave configuration of the app is not one of {framework.label}; register the app for it"
        )
    return config, version


def build_session(
    session_id: str,
    framework: Framework,
    inputs: SessionInputs,
    app: EnclaveImage,
    properties: ServiceProperties,
) -> Session:
    """Return the session of one run, with the pre-compute stage when there is data to fetch."""
    sign = sign_environment(inputs)
    services = [
        SessionService(APP, app, app_stage_environment(inputs)),
        SessionService(POST_COMPUTE, properties.post_compute, post_environment(inputs) | sign),
    ]
    if inputs.needs_pre_compute:
        services.insert(
            0, SessionService(PRE_COMPUTE, properties.pre_compute, pre_environment(inputs) | sign)
        )
    return Session(session_id, inputs.task_id, framework, tuple(services))
