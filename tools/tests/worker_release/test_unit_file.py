"""The systemd unit: it starts what the archive holds, ends with the worker, and is bounded as far as Docker allows."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from worker_release.source import PACKAGING
from workerpool_kit import process
from workerpool_kit.settings.environment import load
from workerpool_worker.settings import WorkerSettings

UNIT = PACKAGING / "poolworker.service"
POOL = {"POOL_ADDRESS": "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"}


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes="#", delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    return parser


@pytest.fixture(scope="module")
def service(unit: configparser.ConfigParser) -> configparser.SectionProxy:
    return unit["Service"]


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / UNIT.name
    # The program is installed on the operator's host only.
    copy.write_text(re.sub(r"(?m)^ExecStart=.*$", "ExecStart=/bin/true", UNIT.read_text()))
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in f"{done.stdout}{done.stderr}".splitlines() if UNIT.name in line] == []


def test_it_runs_the_worker_with_the_env_file(service: configparser.SectionProxy) -> None:
    assert service["ExecStart"] == "/opt/poolworker/poolworker run"
    assert service["EnvironmentFile"] == "/etc/poolworker/poolworker.env"


def test_the_base_folder_is_a_state_directory(service: configparser.SectionProxy) -> None:
    chosen = dict(each.split("=", 1) for each in service["Environment"].split())
    assert chosen["IEXEC_WORKER_BASE_DIR"] == f"/var/lib/{service['StateDirectory']}"
    assert load(WorkerSettings, POOL | chosen).return_within_s == 60


def test_the_stop_timeout_exceeds_the_workers_longest_shutdown(service: configparser.SectionProxy) -> None:
    settings = load(WorkerSettings, POOL)
    needed_s = process.STOP_LIMIT_S + settings.stop_finish_s + process._THREADS_LIMIT_S
    assert service["KillSignal"] == "SIGTERM"
    assert needed_s < float(service["TimeoutStopSec"]) <= 2 * needed_s
    assert f"within {needed_s:.0f} s of SIGTERM" in UNIT.read_text()


def test_only_a_recoverable_exit_is_followed_by_a_restart(
    unit: configparser.ConfigParser, service: configparser.SectionProxy
) -> None:
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == str(process.EXIT_SETTINGS)
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_it_keeps_what_the_worker_does_on_its_host(service: configparser.SectionProxy) -> None:
    capabilities = set(service["CapabilityBoundingSet"].split())
    assert {"CAP_NET_ADMIN", "CAP_KILL", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"} <= capabilities
    assert not capabilities & {
        "CAP_SYS_ADMIN",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO",
        "CAP_SETUID",
        "CAP_NET_RAW",
    }
    # Locks that the workers of a host share, and Docker's socket.
    assert service["ReadWritePaths"].split() == ["/run"]
    assert set(service["RestrictAddressFamilies"].split()) == {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}
    # Apps are paused by their control groups; Docker must see the base folder under the worker's path.
    assert {"ProtectControlGroups", "PrivateTmp", "PrivateDevices", "PrivateUsers", "UMask"} & set(
        service
    ) == set()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "read-only"),
        ("ProtectKernelModules", "yes"),
        ("RestrictNamespaces", "yes"),
        ("SystemCallFilter", "@system-service"),
    ],
)
def test_it_is_bounded(service: configparser.SectionProxy, key: str, value: str) -> None:
    assert service[key] == value
