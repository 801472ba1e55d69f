"""Every variable of the published worker (README of iexec-worker 9.x) has its effect, or is named as without effect."""

import pytest
from workerpool_kit.settings.base import variable_of
from workerpool_kit.settings.environment import SettingsError, ignored, load
from workerpool_worker.settings import WorkerSettings

NEEDED = {"POOL_ADDRESS": "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"}
HONOURED = {
    "IEXEC_WORKER_PORT": "13100",
    "IEXEC_CORE_PROTOCOL": "http",
    "IEXEC_CORE_HOST": "localhost",
    "IEXEC_CORE_PORT": "13000",
    "IEXEC_WORKER_NAME": "worker",
    "POOL_ADDRESS": "0x0",
    "IEXEC_WORKER_BASE_DIR": "/tmp/iexec-worker",
    "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT": "",
    "IEXEC_WORKER_GPU_ENABLED": "false",
    "IEXEC_GAS_PRICE_MULTIPLIER": "1.3",
    "IEXEC_GAS_PRICE_CAP": "22000000000",
    "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS": "",
    "IEXEC_DEVELOPER_LOGGER_ENABLED": "false",
    "IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_0": "",
    "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_0": "",
    "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1": "",
    "IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1": "",
    "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_1": "",
    "IEXEC_WORKER_DOCKER_IMAGE_MIN_PULL_TIMEOUT": "PT5M",
    "IEXEC_WORKER_DOCKER_IMAGE_MAX_PULL_TIMEOUT": "PT30M",
    "IEXEC_WORKER_WALLET_PATH": "./src/main/resources/wallet/encrypted-wallet_worker1.json",
    "IEXEC_WORKER_WALLET_PASSWORD": "whatever",
    "IEXEC_WORKER_SGX_DRIVER_MODE": "NONE",
    "IEXEC_WORKER_METRICS_WINDOW_SIZE": "1,000",
}
WITHOUT_EFFECT = {
    "IEXEC_WORKER_TEE_COMPUTE_MAX_HEAP_SIZE_GB": "8",
    "IEXEC_WORKER_DOCKER_NETWORK_NAME": "iexec-worker-net",
    "IEXEC_SCONE_SHOW_VERSION": "true",
    "IEXEC_SCONE_LOG_LEVEL": "debug",
    "IEXEC_WORKER_SCONTAIN_REGISTRY_NAME": "registry.scontain.com:5050",
    "IEXEC_WORKER_SCONTAIN_REGISTRY_USERNAME": "",
    "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD": "",
    "IEXEC_LAS_PORT": "18766",
}
"""Names and defaults as that document writes them."""


def test_each_documented_default_is_the_default_here() -> None:
    documented = HONOURED | WITHOUT_EFFECT | NEEDED
    assert load(WorkerSettings, documented) == load(WorkerSettings, NEEDED)


def test_only_the_address_of_the_pool_must_be_changed() -> None:
    with pytest.raises(SettingsError) as refusal:
        load(WorkerSettings, HONOURED | WITHOUT_EFFECT)
    assert refusal.value.problems == ("POOL_ADDRESS: must be the address of a workerpool, not zero",)


def test_each_variable_with_an_effect_is_a_setting_that_is_not_called_ignored() -> None:
    declared = {variable_of(info) for info in WorkerSettings.model_fields.values()}
    assert HONOURED.keys() - declared == set()
    assert HONOURED.keys() & WorkerSettings.ignored_variables.keys() == set()


def test_each_other_variable_is_named_at_the_start_with_the_reason() -> None:
    named = ignored(WorkerSettings, dict.fromkeys(WITHOUT_EFFECT, "x"))
    assert named.keys() == WITHOUT_EFFECT.keys()
    assert all(named.values())


@pytest.mark.parametrize("wrong", ["1,00", "0", "-1", "1,0000", ","])
def test_a_malformed_number_of_executions_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="IEXEC_WORKER_METRICS_WINDOW_SIZE"):
        load(WorkerSettings, NEEDED | {"IEXEC_WORKER_METRICS_WINDOW_SIZE": wrong})
