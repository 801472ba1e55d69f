"""Apps that cannot start: found as the app's fault, on the real engine and in the texts of other versions."""

import io
import re
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker import errors
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.refusals import (
    app_reason,
    classify_refusals,
    is_app_defect,
    not_started_reason,
)
from workerpool_worker.errors import AppCannotStart, HostDeviceUnavailable, RuntimeUnavailable

from services.worker.tests.harness.fixtures import MakePlan

BUILD = "failed to create shim task: OCI runtime create failed: runc create failed: "
START = BUILD + "unable to start container process: "
HOOK = (
    START
    + "error during container init: error running hook #0: error running hook: exit status 1, stdout: , stderr: "
)
EMPTY_ELF = b"\x7fELF\x02\x01\x01" + bytes(57)


@pytest.fixture
def image_of(docker_client: Any, app_image: str) -> Iterator[Callable[..., str]]:
    """Build images from lines of a Dockerfile and one file `/f`."""
    made: list[str] = []

    def build(lines: str, file: bytes = b"", mode: int = 0o755) -> str:
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            for name, data in (
                ("Dockerfile", f"FROM {app_image}\nCOPY f /f\n{lines}\n".encode()),
                ("f", file),
            ):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), mode
                tar.addfile(entry, io.BytesIO(data))
        context.seek(0)
        image, _ = docker_client.images.build(fileobj=context, custom_context=True, rm=True)
        made.append(image.id)
        return str(image.id)

    yield build
    for image in made:
        docker_client.images.remove(image, force=True)


@pytest.mark.parametrize(
    ("lines", "file", "mode", "reason"),
    [
        pytest.param('ENTRYPOINT ["/none"]', b"", 0o755, "no such file", id="no entry point"),
        pytest.param('ENTRYPOINT ["none"]', b"", 0o755, "not found in", id="not in the path"),
        pytest.param('ENTRYPOINT ["/tmp"]', b"", 0o755, "(permission denied|is a directory)", id="a folder"),
        pytest.param('ENTRYPOINT ["/f"]', b"x", 0o644, "permission denied", id="not executable"),
        pytest.param('ENTRYPOINT ["/f"]', EMPTY_ELF, 0o755, "exec format error", id="another platform"),
        pytest.param('ENTRYPOINT ["/f"]', b"text", 0o755, "exec format error", id="no program"),
        pytest.param('ENTRYPOINT ["/f"]', b"#!/none\n", 0o755, "no such file", id="no interpreter"),
        pytest.param('USER none\nENTRYPOINT ["/bin/true"]', b"", 0o755, "unable to find user", id="no user"),
        pytest.param('USER 0:none\nENTRYPOINT ["/bin/true"]', b"", 0o755, "find group", id="no group"),
        pytest.param(
            'USER 99999999999\nENTRYPOINT ["/bin/true"]', b"", 0o755, "must be in range", id="user id"
        ),
        pytest.param(
            'VOLUME /proc/self\nENTRYPOINT ["/bin/true"]', b"", 0o755, "mount", id="a volume in /proc"
        ),
        pytest.param('ENTRYPOINT [""]', b"", 0o755, "", id="an empty entry point"),
    ],
)
async def test_an_image_that_cannot_start_is_the_apps_fault(
    engine: DockerEngine,
    plan: MakePlan,
    image_of: Callable[..., str],
    lines: str,
    file: bytes,
    mode: int,
    reason: str,
) -> None:
    made = plan(image=image_of(lines, file, mode))
    try:
        ended = await engine.run(await engine.create(made), 30, new=True)
    except AppCannotStart as refusal:
        error = refusal.message
    else:
        error = ended.error
    assert error
    assert "OCI runtime" not in error
    assert re.search(reason, error), error


@pytest.mark.parametrize(
    "argument", ["x" * 140_000, "a\0b"], ids=["an argument too long", "a zero byte in an argument"]
)
async def test_a_command_that_the_kernel_refuses_is_the_apps_fault(
    engine: DockerEngine, plan: MakePlan, argument: str
) -> None:
    try:
        ended = await engine.run(await engine.create(plan("/bin/sh", "-c", argument)), 30, new=True)
    except AppCannotStart:
        return
    assert ended.error


def refusal(text: str, status: int = 500) -> errors.APIError:
    response = type("Response", (), {"status_code": status, "reason": ""})()
    return errors.APIError("refused", response=response, explanation=text)


@pytest.mark.parametrize(
    "text",
    [
        START + 'exec: "/x": stat /x: no such file or directory: unknown',
        START + 'exec: "/no space left on device": permission denied: unknown',
        START
        + 'error during container init: error mounting "/v" to rootfs at "/cgroup network": inside /proc',
        "unable to find user network: no matching entries in passwd file",
        "uids and gids must be in range 0-2147483647",
        "Cannot mkdir: /bin/sh is not a directory",
        HOOK
        + "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.4, please update your "
        "driver to a newer version, or use an earlier cuda container: unknown",
        START
        + "error during container init: requirements not met: unsatisfied condition: cuda>=12.4 (cuda=12.2)",
        HOOK
        + "nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/x/merged/usr/lib/"
        "x86_64-linux-gnu/libnvidia-ml.so.1: file exists: unknown",
    ],
)
def test_output_of_the_app_never_makes_it_the_hosts_fault(text: str) -> None:
    assert is_app_defect(refusal(text))


@pytest.mark.parametrize(
    "text",
    [
        START + "error during container init: open /proc/self/attr: cannot allocate memory: unknown",
        BUILD
        + "unable to apply cgroup configuration: mkdir /sys/fs/cgroup/x: no space left on device: unknown",
        "error creating overlay mount to /var/lib/docker/overlay2/x/merged: too many open files",
        "mkdir /var/lib/docker/overlay2/x: no space left on device",
        "failed to create endpoint x on network bridge: adding interface failed: device or resource busy",
        "could not select device driver",
    ],
)
def test_a_host_failure_is_not_the_apps_fault(text: str) -> None:
    assert not is_app_defect(refusal(text))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('could not select device driver "" with capabilities: [[gpu]]', 400),
        ('could not select device driver "" with capabilities: [[gpu]]', 500),
        ("unknown or invalid runtime name: runsc", 400),
        ("Unknown runtime specified runsc", 400),
        ("Requested CPUs are not available - requested 9, available: 0-3", 400),
        (HOOK + "nvidia-container-cli: device error: GPU-a: unknown device", 400),
        (HOOK + "nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown", 500),
        (
            "failed to create shim: OCI runtime create failed: unable to retrieve OCI runtime error (open log.json: no "
            "such file or directory): fork/exec /usr/bin/runsc: no such file or directory: unknown",
            400,
        ),
    ],
)
def test_missing_gpus_runtimes_and_processors_are_reported(text: str, status: int) -> None:
    with (
        pytest.raises(HostDeviceUnavailable, match="this host cannot run the app") as told,
        classify_refusals(),
    ):
        raise refusal(text, status)
    is_one_apps = "CPUs" in text
    assert isinstance(told.value, RuntimeUnavailable) is not is_one_apps


def test_the_apps_faults_and_other_refusals_are_distinguished() -> None:
    with pytest.raises(AppCannotStart), classify_refusals():
        raise refusal("unable to find user unknown runtime specified: no matching entries in passwd file")
    with pytest.raises(errors.APIError), classify_refusals():
        raise refusal("the engine fails")
    with pytest.raises(errors.ImageNotFound), classify_refusals():
        raise errors.ImageNotFound("no such image: cannot mkdir")


def test_the_reason_omits_the_components_that_passed_it_on() -> None:
    assert app_reason(refusal(START + 'exec: "/x": permission denied: unknown')) == (
        'exec: "/x": permission denied'
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"exec /f: exec format error\n", "exec /f: exec format error"),
        (b"exec /bin/sh: argument list too long\n", "exec /bin/sh: argument list too long"),
        (b"hello\nexec /f: exec format error\n", ""),
        (b"", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_the_kernels_refusal_is_found_in_the_output(output: bytes, reason: str) -> None:
    assert not_started_reason(output) == reason
