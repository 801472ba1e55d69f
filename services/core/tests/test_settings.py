"""Every documented variable in each of its forms."""

import pytest
from workerpool_core.composition.public_configuration import public_configuration
from workerpool_core.settings import CoreSettings
from workerpool_kit.settings import environment
from workerpool_kit.settings.environment import SettingsError
from workerpool_poco.chain.wallet import Wallet

from services.core.tests.doubles.settings import load

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return refused.value.problems


def test_the_documented_defaults() -> None:
    settings = load({})
    assert settings.http_port == 13000
    assert (settings.mongo_host, settings.mongo_port, settings.mongo_database) == (
        "localhost",
        13002,
        "iexec",
    )
    assert settings.url_of("config_server") == "http://localhost:8888"
    assert settings.url_of("chain_adapter") == "http://localhost:13010"
    assert settings.url_of("result_proxy") == "http://localhost:13200"
    assert settings.public_url is None
    assert settings.whitelist == ()
    assert settings.actuator_open("health")
    assert not settings.actuator_open("prometheus")
    assert (settings.logs_purge_rate_days, settings.logs_availability_days) == (1, 3)


@pytest.mark.parametrize(
    ("service", "prefix"),
    [
        ("config_server", "IEXEC_CONFIG_SERVER"),
        ("chain_adapter", "IEXEC_CORE_CHAIN_ADAPTER"),
        ("result_proxy", "IEXEC_RESULT_REPOSITORY"),
    ],
)
def test_a_service_is_named_by_url_or_by_parts_but_not_both(service: str, prefix: str) -> None:
    own = {"IEXEC_CORE_CHAIN_ADAPTER_PASSWORD": "of-our-own", "WORKERPOOL_ALLOW_CLEARTEXT": "true"}
    assert load({f"{prefix}_URL": "http://a:1", **own}).url_of(service) == "http://a:1"
    parts = {f"{prefix}_PROTOCOL": "https", f"{prefix}_HOST": "b", f"{prefix}_PORT": "2"}
    assert load(parts | own).url_of(service) == "https://b:2"
    (problem,) = problems(**{f"{prefix}_URL": "http://a:1", f"{prefix}_HOST": "b"})
    assert problem.startswith(f"{prefix}_URL")
    (problem,) = problems(**{f"{prefix}_PROTOCOL": "ftp"})
    assert problem.startswith(f"{prefix}_PROTOCOL")


def test_the_password_does_not_leave_this_host_without_tls() -> None:
    own = {"IEXEC_CORE_CHAIN_ADAPTER_PASSWORD": "of-our-own"}
    (problem,) = problems(IEXEC_CORE_CHAIN_ADAPTER_URL="http://adapter:13010", **own)
    assert problem.startswith(
        "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD: the password for the chain adapter would travel"
    )
    assert "WORKERPOOL_ALLOW_CLEARTEXT=true" in problem
    found = load({"IEXEC_CORE_CHAIN_ADAPTER_URL": "https://adapter.example", **own})
    assert found.url_of("chain_adapter") == "https://adapter.example"
    (problem,) = problems(WORKERPOOL_CORE_CHAIN_ADAPTER_GRPC_TARGET="adapter:23010", **own)
    assert "adapter without TLS" in problem


def test_an_ipv6_address_in_parts_gets_its_brackets() -> None:
    assert load({"IEXEC_CORE_CHAIN_ADAPTER_HOST": "::1"}).url_of("chain_adapter") == "http://[::1]:13010"


def test_older_names_still_count() -> None:
    assert load({"IEXEC_PRIVATE_CHAIN_ADDRESS": "http://n:1"}).node_url == "http://n:1"


def test_tasks_are_kept_unless_a_retention_of_a_day_or_more_is_set() -> None:
    assert load({}).task_retention_s is None
    assert load({"WORKERPOOL_CORE_TASK_RETENTION": "P90D"}).task_retention_s == 90 * 86_400
    (problem,) = problems(WORKERPOOL_CORE_TASK_RETENTION="PT23H")
    assert "WORKERPOOL_CORE_TASK_RETENTION" in problem


def test_the_whitelist_is_a_list_in_any_case() -> None:
    settings = load({"IEXEC_WORKERS_WHITELIST": f" {WALLET.lower()} , {'0x' + '11' * 20}"})
    assert settings.whitelist == (WALLET, "0x" + "11" * 20)


def test_the_threshold_comes_from_either_generation_of_variables() -> None:
    assert load({"CHAIN_OUTOFSERVICETHRESHOLD": "PT7S"}).threshold_s(5) == 7
    assert load({}).threshold_s(5) == 60
    older = {
        "IEXEC_CHAIN_HEALTH_POLLING_INTERVAL_IN_BLOCKS": "2",
        "IEXEC_CHAIN_HEALTH_OUT_OF_SERVICE_THRESHOLD": "3",
    }
    assert load(older).threshold_s(5) == 30
    assert load(older).threshold_s(0.1) == 5


def test_the_pool_has_no_default() -> None:
    """A stranger's pool would only be noticed once the wallet does not own it."""
    with pytest.raises(SettingsError) as refused:
        environment.load(CoreSettings, {})
    (problem,) = refused.value.problems
    assert problem.startswith("POOL_ADDRESS: not set")


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"IEXEC_CORE_CHAIN_ADAPTER_URL": "http://adapter:13010"}, "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD"),
        ({"IEXEC_CORE_CHAIN_ADAPTER_HOST": "10.0.0.3"}, "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD"),
        (
            {"IEXEC_CORE_OPERATOR_USERNAME": "ops", "IEXEC_CORE_OPERATOR_PASSWORD": "Admin"},
            "IEXEC_CORE_OPERATOR_PASSWORD",
        ),
    ],
)
def test_a_well_known_password_is_refused_beyond_this_host(environ: dict[str, str], variable: str) -> None:
    (problem,) = problems(**environ)
    assert problem.startswith(f"{variable}: a well-known default password")


def test_a_well_known_operator_password_is_accepted_on_loopback() -> None:
    credentials = {"IEXEC_CORE_OPERATOR_USERNAME": "ops", "IEXEC_CORE_OPERATOR_PASSWORD": "admin"}
    load(
        {
            **credentials,
            "WORKERPOOL_GRPC_BIND_ADDRESS": "127.0.0.1",
            "WORKERPOOL_HTTP_BIND_ADDRESS": "127.0.0.1",
        }
    )


def test_a_well_known_operator_password_is_refused_where_the_page_is_reached_from_other_hosts() -> None:
    (problem,) = problems(
        IEXEC_CORE_OPERATOR_USERNAME="ops",
        IEXEC_CORE_OPERATOR_PASSWORD="admin",
        WORKERPOOL_GRPC_BIND_ADDRESS="127.0.0.1",
    )
    assert "WORKERPOOL_HTTP_BIND_ADDRESS" in problem


def test_the_operator_needs_both_credentials() -> None:
    (problem,) = problems(IEXEC_CORE_OPERATOR_USERNAME="ops")
    assert problem.startswith("IEXEC_CORE_OPERATOR_USERNAME")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IEXEC_CORE_PORT", "thirteen"),
        ("POOL_ADDRESS", "0x12"),
        ("IEXEC_START_BLOCK_NUMBER", "-1"),
        ("CHAIN_OUTOFSERVICETHRESHOLD", "soon"),
        ("IEXEC_WORKERS_WHITELIST", "somebody"),
        ("IEXEC_LOGS_PURGE_RATE_IN_DAYS", "0"),
        ("IEXEC_CORE_WALLET_PASSWORT", "typing mistake"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(name)


def test_s47_the_configuration_hash_changes_only_with_what_workers_receive() -> None:
    wallet = Wallet.from_key("0x" + "11" * 32)

    def told(**environ: str) -> str:
        return public_configuration(load(environ), wallet, "0.1.0").hash

    assert told() == told()
    assert told() == told(IEXEC_CORE_PORT="14000", IEXEC_LOGS_PURGE_RATE_IN_DAYS="7")
    changes = (
        ("IEXEC_CORE_REQUIRED_WORKER_VERSION", "1.0"),
        ("IEXEC_RESULT_REPOSITORY_URL", "http://results:1"),
    )
    assert len({told(), *(told(**{name: value}) for name, value in changes)}) == 3


def test_the_public_url_is_a_url() -> None:
    assert load({"IEXEC_CORE_PUBLIC_URL": "https://core.example"}).public_url == "https://core.example"
    assert "IEXEC_CORE_PUBLIC_URL" in "".join(problems(IEXEC_CORE_PUBLIC_URL="core.example"))
