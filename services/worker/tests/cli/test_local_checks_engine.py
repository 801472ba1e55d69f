"""Looks at the container engine of a host: what it answers, what it sees of the folder, and what isolates apps."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.cli import local_checks
from workerpool_worker.domain.diagnosis.findings import Code, Finding, Severity
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.engine_api import UNSEEN, EngineApi, engine_api
from services.worker.tests.harness.host_settings import HostSettings, by_subject


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineApi]:
    """An engine at a socket of this host."""
    with engine_api() as (served, address):
        monkeypatch.setenv("DOCKER_HOST", address)
        yield served


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineApi]:
    """An engine on another host, as far as its address tells."""
    with engine_api(local=False) as (served, address):
        monkeypatch.setenv("DOCKER_HOST", address)
        yield served


async def engine(settings: WorkerSettings) -> dict[str, Finding]:
    return by_subject(await local_checks.engine_findings(settings))


def no_engine(found: dict[str, Finding]) -> str:
    """Return the message of the only finding, which says that no engine answers."""
    (finding,) = found.values()
    assert (finding.subject, finding.severity, finding.code) == ("engine", Severity.PROBLEM, Code.NO_ENGINE)
    assert "DOCKER_HOST" in finding.next_step
    return finding.message


async def test_a_working_engine_is_reported_with_its_version(
    settings: HostSettings, base: Path, api: EngineApi
) -> None:
    found = await engine(settings())
    assert found["engine"].message == "host-of-tests: Docker 27.1"
    assert found["shared folder"].message == f"the engine sees {base}"
    assert "engine's disk" not in found
    (mount,) = api.mounts
    assert (mount["ReadOnly"], Path(mount["Source"]).parent) == (True, base.parent)
    assert api.removed == ["looked"]
    assert not Path(mount["Source"]).exists()


@pytest.mark.parametrize(
    "address",
    [
        "unix:///nowhere/docker.sock",
        "tcp://127.0.0.1:1",
        "tcp://127.0.0.1:99999",
        "http://[::1",
        "nonsense://engine",
        "tcp://",
    ],
)
async def test_an_address_without_an_engine_is_a_finding(
    settings: HostSettings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert "does not answer" in no_engine(await engine(settings()))


async def test_certificates_that_are_missing_are_a_finding(
    settings: HostSettings, api: EngineApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    assert "certificate" in no_engine(await engine(settings()))


@pytest.mark.parametrize(
    "answers",
    [
        {"version": "<html>"},
        {"version": {}},
        {"version": []},
        {"info": "<html>"},
        {"info": []},
        {"info": None},
        {"info": {"Name": "host"}},
        {"info": {"Name": "host", "ServerVersion": "27.1"}},
        {"info": {"Name": "host", "ServerVersion": "27.1", "DockerRootDir": None}},
        {"created": (201, {})},
        {"created": (201, "<html>")},
    ],
    ids=str,
)
async def test_a_server_that_is_no_engine_is_a_finding(
    settings: HostSettings, api: EngineApi, answers: dict[str, Any]
) -> None:
    for name, value in answers.items():
        setattr(api, name, value)
    assert "does not answer" in no_engine(await engine(settings()))


async def test_an_engine_that_hangs_is_a_finding(
    settings: HostSettings, api: EngineApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_checks, "_ENGINE_LIMIT_S", 0.05)
    api.answers.clear()
    # The command waits for the call in progress before it continues.
    asyncio.get_running_loop().call_later(0.3, api.answers.set)
    assert "does not answer within" in no_engine(await engine(settings()))


async def test_the_reason_of_an_engine_refusal_is_reported(settings: HostSettings, api: EngineApi) -> None:
    api.created = (403, {"message": "the policy of this host forbids it"})
    assert "the policy of this host forbids it" in no_engine(await engine(settings()))


async def test_a_folder_that_the_engine_does_not_see_is_named_with_the_mount(
    settings: HostSettings, base: Path, api: EngineApi
) -> None:
    api.created = (400, {"message": UNSEEN})
    finding = (await engine(settings()))["shared folder"]
    assert (finding.severity, finding.code) == (Severity.PROBLEM, Code.BASE_FOLDER_UNSEEN)
    assert f"-v {base}:{base}" in finding.next_step


async def test_a_folder_that_cannot_be_written_is_not_shown_to_the_engine(
    settings: HostSettings, api: EngineApi
) -> None:
    finding = (await engine(settings(IEXEC_WORKER_BASE_DIR="/proc/base")))["shared folder"]
    assert (finding.severity, api.mounts) == (Severity.SKIPPED, [])


async def test_the_engines_disk_is_checked_if_it_is_separate(settings: HostSettings, api: EngineApi) -> None:
    api.info["DockerRootDir"] = "/proc"
    full = (await engine(settings(WORKERPOOL_WORKER_DISK_FLOOR_BYTES=str(1 << 30))))["engine's disk"]
    assert (full.severity, full.code) == (Severity.PROBLEM, Code.DISK_FULL)


async def test_a_shared_disk_is_reported_once(settings: HostSettings, base: Path, api: EngineApi) -> None:
    api.info["DockerRootDir"] = str(base.parent)
    assert not base.exists()
    assert "engine's disk" not in await engine(settings())


async def test_the_disk_of_a_remote_engine_is_not_checked_here(
    settings: HostSettings, remote: EngineApi
) -> None:
    remote.info["DockerRootDir"] = "/proc"
    assert "engine's disk" not in await engine(settings())


# --- runtime and GPUs ---


async def test_the_runtime_of_the_settings_is_checked(settings: HostSettings, api: EngineApi) -> None:
    api.info["Runtimes"] = {"runc": {}, "runsc": {"path": "/usr/bin/runsc"}}
    assert "runtime" not in await engine(settings())
    found = (await engine(settings(IEXEC_WORKER_CONTAINER_RUNTIME="runsc")))["runtime"]
    assert (found.severity, found.message) == (Severity.OK, "apps run with runsc")
    lacking = (await engine(settings(IEXEC_WORKER_CONTAINER_RUNTIME="kata-runtime")))["runtime"]
    assert (lacking.severity, lacking.code) == (Severity.PROBLEM, Code.NO_RUNTIME)
    assert lacking.message == "the engine has no runtime kata-runtime; it has runc, runsc"
    assert "IEXEC_WORKER_CONTAINER_RUNTIME" in lacking.next_step


async def test_gpus_that_are_promised_are_checked(
    settings: HostSettings, api: EngineApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "GPUs" not in await engine(settings())
    missing = (await engine(settings(IEXEC_WORKER_GPU_ENABLED="true")))["GPUs"]
    assert (missing.severity, missing.code) == (Severity.WARNING, Code.NO_GPU)
    assert "WORKERPOOL_WORKER_GPU_IDS" in missing.next_step
    named = await engine(settings(IEXEC_WORKER_GPU_ENABLED="true", WORKERPOOL_WORKER_GPU_IDS="0,1"))
    assert named["GPUs"].message == "apps get 0, 1"


# --- network of apps -------------------------------------------------------------------------------


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that may set firewall rules, with the program for it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nft").write_text("")
    (tmp_path / "bin/nft").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.mark.usefixtures("tools")
async def test_root_with_nftables_can_isolate_apps(settings: HostSettings, api: EngineApi) -> None:
    assert (await engine(settings()))["app network"].message == "the worker can set the firewall rules"


def unsafe(finding: Finding) -> None:
    assert (finding.severity, finding.code) == (Severity.PROBLEM, Code.NETWORK_UNSAFE)
    assert "WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE" in finding.next_step
    assert "WORKERPOOL_WORKER_APP_NETWORK" in finding.next_step


@pytest.mark.usefixtures("tools")
async def test_a_user_without_root_cannot_isolate_apps(
    settings: HostSettings, api: EngineApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    unsafe((await engine(settings()))["app network"])


@pytest.mark.usefixtures("tools")
async def test_rules_of_this_host_do_not_isolate_apps_of_another(
    settings: HostSettings, remote: EngineApi
) -> None:
    unsafe((await engine(settings()))["app network"])


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WORKERPOOL_WORKER_APP_NETWORK": "bridge"}, "apps use the network bridge, as the settings say"),
        ({"WORKERPOOL_WORKER_APP_NETWORK": "none"}, "apps use the network none, as the settings say"),
        (
            {"WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE": "busybox"},
            "a probe proves the isolation at the start",
        ),
    ],
)
async def test_a_network_that_the_operator_chose_needs_no_rules(
    settings: HostSettings, remote: EngineApi, variables: dict[str, str], message: str
) -> None:
    finding = (await engine(settings(**variables)))["app network"]
    assert (finding.severity, finding.message) == (Severity.OK, message)
