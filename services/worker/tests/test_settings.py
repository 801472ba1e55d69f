"""Settings: the documented names, the older ones, and refusals that name the variable."""

import pytest
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_worker.settings import WorkerSettings

NEEDED = {
    "POOL_ADDRESS": "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27",
    "IEXEC_WORKER_WALLET_PATH": "/wallet.json",
}


def settings(**changes):
    return load(WorkerSettings, NEEDED | changes)


def test_documented_defaults():
    found = settings()
    assert (found.port, found.grpc_port, found.core) == (13100, None, "http://localhost:13000")
    assert (found.gas_price_multiplier, found.gas_price_cap) == (1.3, 22_000_000_000)
    assert (found.pull_min_s, found.pull_max_s, found.metrics_window) == (300, 1800, 1000)
    assert found.wallet_password.get_secret_value() == "whatever"
    assert str(found.folder) == "/tmp/iexec-worker/worker"


def test_older_names_of_the_scheduler():
    assert settings(IEXEC_CORE_HOST="core", IEXEC_CORE_PORT="1300").core == "http://core:1300"


def test_registries():
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
def test_what_cannot_be_is_refused_by_name(changes, variable):
    with pytest.raises(SettingsError) as refusal:
        settings(**changes)
    assert [problem for problem in refusal.value.problems if problem.startswith(variable)]
