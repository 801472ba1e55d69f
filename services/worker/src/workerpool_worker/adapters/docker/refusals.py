"""Refusals of the Docker engine to run an app: whether the app or the host is at fault."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from docker import errors

from workerpool_worker.adapters.docker.connection import NOT_FOUND, reason_of
from workerpool_worker.errors import AppCannotStart, HostDeviceUnavailable, RuntimeUnavailable

_BAD_REQUEST = 400
_RUNTIME = "oci runtime create failed"
_APP_FAULTS = (
    "unable to start container process: exec:",
    "unable to find user",
    "unable to find group",
    "uids and gids must be in range",
    "no matching entries",
    "no command specified",
    "executable file not found",
    "cannot mkdir",
    "cannot mount volume over existing file",
    "invalid volume specification",
    "duplicate mount point",
    "environment variable",
    "exec format error",
    # An image that requires a newer driver or another GPU than this host has, or contains files of a driver.
    "nvidia-container-cli: requirement error",
    "unsatisfied condition",
    "nvidia-container-cli: mount error: file creation failed",
)
_RUNTIME_FAULTS = (
    # GPUs without their driver in the engine, or that the driver does not know.
    "could not select device driver",
    "nvidia-container-cli",
    "unresolvable cdi devices",
    # A runtime that the engine does not know, or whose program is missing or fails without a word.
    "unknown or invalid runtime name",
    "unknown runtime specified",
    "unable to retrieve oci runtime error",
    "failed to start shim",
)
_DEVICE_FAULTS = (*_RUNTIME_FAULTS, "requested cpus are not available")
"""What the settings of the worker promise to apps, and its host does not have."""
_HOST_FAULTS = (
    *_DEVICE_FAULTS,
    "no space left on device",
    "disk quota exceeded",
    "cannot allocate memory",
    "resource temporarily unavailable",
    "too many open files",
    "input/output error",
    "read-only file system",
    "device or resource busy",
    "cgroup",
    "network",
    "storage-opt",
    "apparmor",
    "seccomp",
    "context deadline exceeded",
)
_REFUSED_CODES = frozenset({1, 126, 127, 255})
_REFUSED_WITHIN_S = 5.0
_NOISE = re.compile(
    r"failed to create (shim )?task: |OCI runtime create failed: |runc create failed: |"
    r"unable to start container process: |: unknown$"
)
_QUOTED = re.compile(r'"(\\.|[^"\\])*"')
_NOT_STARTED = re.compile(
    r"exec [^\n]*: (exec format error|no such file or directory|permission denied|invalid argument|"
    r"argument list too long)\n?"
)
"""What the runtime prints in place of the app if the kernel refuses its program."""


def is_app_defect(refusal: errors.APIError) -> bool:
    """Return whether the engine refuses because of the app's image or command, rather than of its host.

    The engine has no codes for the reasons, so its text decides. Requesters choose parts of that text, which are quoted
    in it: those never make a host's fault of the app's.
    """
    text = str(refusal.explanation or refusal).lower()
    if any(reason in text for reason in _APP_FAULTS):
        return True
    if _says(refusal, _HOST_FAULTS):
        return False
    return refusal.status_code == _BAD_REQUEST or _RUNTIME in text


@contextmanager
def classify_refusals() -> Iterator[None]:
    """Raise `AppCannotStart`, `RuntimeUnavailable` or `HostDeviceUnavailable` for a refusal that one explains."""
    try:
        yield
    except errors.ImageNotFound:
        raise
    except errors.APIError as refusal:
        if is_app_defect(refusal):
            raise AppCannotStart(app_reason(refusal)) from refusal
        if _says(refusal, _DEVICE_FAULTS):
            kind = RuntimeUnavailable if _says(refusal, _RUNTIME_FAULTS) else HostDeviceUnavailable
            raise kind(
                f"this host cannot run the app: {app_reason(refusal)}; check IEXEC_WORKER_GPU_ENABLED, "
                "IEXEC_WORKER_CONTAINER_RUNTIME and the engine's runtimes and drivers"
            ) from refusal
        raise


def is_sandbox_lost(refusal: errors.APIError, container: str) -> bool:
    """Return whether a container is not started because the one whose namespace it joins has ended or is gone."""
    text = str(refusal.explanation or refusal).lower()
    if "cannot join network of a non running container" in text:
        return True
    return refusal.status_code == NOT_FOUND and "no such container" in text and container not in text


def _says(refusal: errors.APIError, reasons: tuple[str, ...]) -> bool:
    """Return whether the engine's own words, without what it quotes, contain one of the reasons."""
    text = _QUOTED.sub("", str(refusal.explanation or refusal).lower())
    return any(reason in text for reason in reasons)


def app_reason(refusal: errors.APIError) -> str:
    """Return the engine's reason without the names of the components that passed it on."""
    return _NOISE.sub("", reason_of(refusal))


def may_not_have_started(exit_code: int, run_time_s: float) -> bool:
    """Return whether a container ended as one whose program the kernel refuses; `not_started_reason` then decides."""
    return exit_code in _REFUSED_CODES and run_time_s < _REFUSED_WITHIN_S


def not_started_reason(output: bytes) -> str:
    """Return why the kernel refused the program of a container, from its whole output; empty if the app ran.

    The runtime reports a program of another platform, for example, as the output and the exit of the container.
    """
    text = output.decode("utf-8", errors="replace")
    return text.strip() if _NOT_STARTED.fullmatch(text) else ""
