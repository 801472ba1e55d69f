"""Settings: documented names and defaults, refusals that name the variable, variables without effect."""

from pathlib import Path

import pytest
from workerpool_kit.settings.environment import SettingsError, ignored, load
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
    assert settings(IEXEC_CORE_HOST="core", IEXEC_CORE_PORT="1300").core == "http://core:1300"


def test_a_gas_price_multiplier_of_zero_with_cap_zero_is_accepted() -> None:
    """The published choice for Bellecour, where gas costs nothing."""
    found = settings(IEXEC_GAS_PRICE_MULTIPLIER="0", IEXEC_GAS_PRICE_CAP="0")
    assert (found.gas_price_multiplier, found.gas_price_cap) == (0, 0)


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
