"""Settings: documented names and defaults, refusals that name the variable, variables without effect."""

from pathlib import Path

import pytest
from workerpool_kit.settings.environment import SettingsError, ignored, load
from workerpool_worker.domain.fetching.addresses import AllowedHosts
from workerpool_worker.domain.fetching.limits import DownloadLimits
from workerpool_worker.settings import WorkerSettings

NEEDED = {"POOL_ADDRESS": "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"}
ENCLAVE_VARIABLES = {
    "IEXEC_WORKER_DOCKER_NETWORK_NAME": "net",
    "IEXEC_WORKER_TEE_COMPUTE_MAX_HEAP_SIZE_GB": "8",
    "IEXEC_SCONE_SHOW_VERSION": "true",
    "IEXEC_SCONE_LOG_LEVEL": "debug",
    "IEXEC_WORKER_SCONTAIN_REGISTRY_NAME": "registry.scontain.com:5050",
    "IEXEC_WORKER_SCONTAIN_REGISTRY_USERNAME": "user",
    "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD": "password",
    "IEXEC_LAS_PORT": "18766",
}
"""The documented variables of enclave tasks that this version accepts without effect."""


def settings(**changes: str) -> WorkerSettings:
    return load(WorkerSettings, NEEDED | changes)


def test_documented_defaults() -> None:
    found = settings()
    assert (found.port, found.grpc_port, found.core) == (13100, None, "http://localhost:13000")
    assert (found.gas_price_multiplier, found.gas_price_cap) == (1.3, 22_000_000_000)
    assert (found.pull_min_s, found.pull_max_s, found.metrics_window) == (300, 1800, 1000)
    assert found.wallet_path == Path("./src/main/resources/wallet/encrypted-wallet_worker1.json")
    assert found.wallet_password.get_secret_value() == "whatever"
    assert found.scontain_registry == "registry.scontain.com:5050"
    assert str(found.folder) == "/tmp/iexec-worker/worker"


def test_the_split_address_of_the_scheduler() -> None:
    private = {"WORKERPOOL_ALLOW_CLEARTEXT": "true"}
    assert settings(IEXEC_CORE_HOST="core", IEXEC_CORE_PORT="1300", **private).core == "http://core:1300"
    assert settings(IEXEC_CORE_HOST="::1", IEXEC_CORE_PORT="1300").core == "http://[::1]:1300"


@pytest.mark.parametrize(
    "address", [{"IEXEC_CORE_URL": "http://core:13000"}, {"IEXEC_CORE_HOST": "core"}], ids=["url", "parts"]
)
def test_the_token_does_not_leave_this_host_without_tls(address: dict[str, str]) -> None:
    with pytest.raises(
        SettingsError, match=r"IEXEC_CORE_URL: this worker's token .*WORKERPOOL_ALLOW_CLEARTEXT"
    ):
        settings(**address)
    assert settings(IEXEC_CORE_URL="https://core.example").core == "https://core.example"


def test_the_scheduler_may_have_a_grpc_address_of_its_own() -> None:
    found = settings(
        IEXEC_CORE_URL="https://pool.example", WORKERPOOL_WORKER_CORE_GRPC_TARGET="https://grpc.pool.example"
    )
    assert found.core_grpc == "https://grpc.pool.example"
    with pytest.raises(SettingsError, match="WORKERPOOL_WORKER_CORE_GRPC_TARGET: expected host:port"):
        settings(WORKERPOOL_WORKER_CORE_GRPC_TARGET="grpc.pool.example")


def test_limits_of_downloads() -> None:
    found = settings().downloads
    assert (found.max_file_bytes, found.max_task_bytes, found.max_files) == (32 << 30, 64 << 30, 256)
    assert (found.total_s, found.connect_s, found.answer_s, found.min_bytes_per_s) == (1_800, 10, 60, 1_024)
    assert found.allowed == AllowedHosts()
    changed = settings(
        WORKERPOOL_WORKER_DOWNLOAD_TIMEOUT="PT5M",
        WORKERPOOL_WORKER_DOWNLOAD_CONNECT_TIMEOUT="1",
        WORKERPOOL_WORKER_DOWNLOAD_ANSWER_TIMEOUT="2",
        WORKERPOOL_WORKER_DOWNLOAD_MIN_RATE="0",
        WORKERPOOL_WORKER_DOWNLOAD_MAX_BYTES="3",
        WORKERPOOL_WORKER_DOWNLOAD_MAX_TASK_BYTES="4",
        WORKERPOOL_WORKER_DOWNLOAD_MAX_FILES="5",
        WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS="10.1.0.0/16,files.example.com",
        WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS="https://example.com",
    )
    assert changed.download_reference_urls == ("https://example.com",)
    assert changed.downloads == DownloadLimits(
        max_file_bytes=3,
        max_task_bytes=4,
        max_files=5,
        total_s=300,
        connect_s=1,
        answer_s=2,
        min_bytes_per_s=0,
        allowed=AllowedHosts.parse(["10.1.0.0/16", "files.example.com"]),
    )


def test_a_gas_price_multiplier_of_zero_with_cap_zero_is_accepted() -> None:
    """The published choice for Bellecour, where gas costs nothing."""
    found = settings(IEXEC_GAS_PRICE_MULTIPLIER="0", IEXEC_GAS_PRICE_CAP="0")
    assert (found.gas_price_multiplier, found.gas_price_cap) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"POOL_ADDRESS": "0x0"}, "POOL_ADDRESS"),
        ({"IEXEC_WORKER_NAME": "a/b"}, "IEXEC_WORKER_NAME"),
        ({"IEXEC_WORKER_NAME": "-a"}, "IEXEC_WORKER_NAME"),
        ({"IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT": "0"}, "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT"),
        ({"IEXEC_WORKER_SGX_DRIVER_MODE": "NATIVE"}, "IEXEC_WORKER_SGX_DRIVER_MODE"),
        ({"IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_0": "u"}, "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_0"),
        ({"IEXEC_CORE_URL": "http://a:1", "IEXEC_CORE_HOST": "b"}, "IEXEC_CORE_URL"),
        ({"IEXEC_WORKER_NAEM": "x"}, "IEXEC_WORKER_NAEM"),
        (
            {"WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS": "10.0.0.0/40"},
            "WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS",
        ),
        ({"WORKERPOOL_IPFS_GATEWAYS": "https://gateway.test,http://256.1.1.1"}, "WORKERPOOL_IPFS_GATEWAYS"),
        ({"WORKERPOOL_WORKER_DOWNLOAD_CONNECT_TIMEOUT": "0"}, "WORKERPOOL_WORKER_DOWNLOAD_CONNECT_TIMEOUT"),
    ],
)
def test_an_invalid_value_is_refused_by_the_variables_name(changes: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        settings(**changes)
    assert [problem for problem in refusal.value.problems if problem.startswith(variable)]


def test_variables_of_enclave_tasks_are_accepted_and_named() -> None:
    settings(**ENCLAVE_VARIABLES)
    named = ignored(WorkerSettings, ENCLAVE_VARIABLES)
    assert named.keys() == ENCLAVE_VARIABLES.keys()
    assert all("TEE_NOT_SUPPORTED" in reason for reason in named.values())


def test_no_variable_is_named_that_is_not_set() -> None:
    assert ignored(WorkerSettings, NEEDED) == {}


def test_the_file_form_of_an_ignored_password_is_named() -> None:
    assert ignored(WorkerSettings, {"IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD_FILE": "/run/secret"})


@pytest.mark.parametrize("network", ["host", "container:x"])
def test_apps_never_share_the_hosts_own_network(network: str) -> None:
    with pytest.raises(SettingsError, match=r"WORKERPOOL_WORKER_APP_NETWORK.*none"):
        settings(WORKERPOOL_WORKER_APP_NETWORK=network)


def test_an_allowed_network_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match=r"WORKERPOOL_WORKER_APP_ALLOWED_NETWORKS.*10\.1\.0\.0/33"):
        settings(WORKERPOOL_WORKER_APP_ALLOWED_NETWORKS="10.0.0.0/8,10.1.0.0/33")


def test_limits_of_apps_have_defaults() -> None:
    found = settings()
    assert (found.app_network, found.app_allowed_networks) == ("isolated", ())
    assert (found.app_disk_bytes, found.disk_floor_bytes, found.slot_memory_mib) == (10 << 30, 2 << 30, 0)
