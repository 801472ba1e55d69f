"""Settings: flags before the environment before `.env`; paths of `.env` below the pool's folder."""

from pathlib import Path

import pytest
from poolctl.errors import EXIT_USAGE, UnusableSettings
from poolctl.folder import POOL_DIR
from poolctl.settings import read_settings

POOL = "0x" + "ab" * 20


def test_the_first_source_that_has_a_setting_decides() -> None:
    files = {"IEXEC_CORE_URL": "http://file:1", "MARKET_API_URL": "http://market", "POOL_ADDRESS": POOL}
    environment = {"IEXEC_CORE_URL": "http://environment:1"}
    assert read_settings({}, files, environment).core == "http://environment:1"
    assert read_settings({"IEXEC_CORE_URL": "http://flag:1"}, files, environment).core == "http://flag:1"
    settings = read_settings({}, files, {})
    assert (settings.core, settings.market_url) == ("http://file:1", "http://market")


def test_a_secret_of_the_environment_replaces_the_file_that_env_names(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from the file\n")
    lines = {"PROD_CHAIN_ADAPTER_PASSWORD_FILE": "password"}
    settings = read_settings({POOL_DIR: str(tmp_path)}, lines, {})
    assert settings.adapter_password is not None
    assert settings.adapter_password.get_secret_value() == "from the file"
    settings = read_settings({POOL_DIR: str(tmp_path)}, lines, {"IEXEC_CORE_CHAIN_ADAPTER_PASSWORD": "other"})
    assert settings.adapter_password is not None
    assert settings.adapter_password.get_secret_value() == "other"


def test_the_names_of_the_seeds_are_understood() -> None:
    lines = {
        "PROD_CORE_HOST": "pool.example",
        "PROD_CHAIN_ADAPTER_HOST": "adapter.example",
        "PROD_POOL_ADDRESS": POOL,
        "ADMINLOGIN": "admin-of-000",
        "ADMINPASSWORD": "a long password",
        "CHAIN_ID": "134",
    }
    settings = read_settings({}, lines, {})
    assert settings.core == "http://pool.example:7001"
    assert settings.adapter == "http://adapter.example:13010"
    assert settings.pool_address is not None
    assert settings.pool_address.lower() == POOL
    assert settings.operator_username == "admin-of-000"
    assert settings.chain_id == 134


def test_without_settings_the_documented_local_ports_are_used() -> None:
    assert read_settings({}, {}, {}).services == {
        "core": "http://localhost:13000",
        "chain_adapter": "http://localhost:13010",
        "result_proxy": "http://localhost:13200",
        "registry": "http://localhost:8888",
        "order_publisher": "http://localhost:13400",
    }


def test_paths_of_the_env_file_start_at_the_pools_folder() -> None:
    lines = {"WORKERPOOL_TLS_CA": "ca.pem"}
    assert read_settings({POOL_DIR: "/opt/core"}, lines, {}).tls_ca == Path("/opt/core/ca.pem")
    assert read_settings({POOL_DIR: "/opt/core"}, {}, lines).tls_ca == Path("ca.pem")


def test_unusable_settings_name_every_problem() -> None:
    with pytest.raises(UnusableSettings) as refused:
        read_settings({}, {"IEXEC_CORE_URL": "nowhere", "POOL_ADDRESS": "0x1"}, {})
    assert refused.value.exit_code == EXIT_USAGE
    assert [line.partition(":")[0] for line in refused.value.message.splitlines()] == [
        "IEXEC_CORE_URL",
        "POOL_ADDRESS",
    ]


def test_a_misspelled_setting_of_poolctl_is_refused() -> None:
    with pytest.raises(UnusableSettings, match="POOLCTL_SERVICE_LOG: no such setting; did you mean"):
        read_settings({}, {}, {"POOLCTL_SERVICE_LOG": "x"})


def test_settings_of_other_services_are_ignored() -> None:
    read_settings({}, {"WORKER_AVAILABLE_CPU": "3", "GRAFANA_HOME_NAME": "x"}, {"IEXEC_CORE_PORT": "1"})
