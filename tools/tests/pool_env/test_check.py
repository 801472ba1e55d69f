"""A .env that would run a pool with defaults, or not run it, is refused with one sentence per problem."""

import pytest
from pool_env.check import Scope, problems
from pool_env.env_file import parse
from worker_release.source import ROOT

EXAMPLE = parse((ROOT / ".env.example").read_text())
SECRETS = {
    name: f"a-strong-passphrase-{number}"
    for number, name in enumerate(
        [
            *("PROD_CORE_WALLET_PASSWORD", "PROD_CHAIN_ADAPTER_PASSWORD", "PROD_MONGO_PASSWORD"),
            *("PROD_GRAFANA_ADMIN_PASSWORD", "IEXEC_CORE_OPERATOR_PASSWORD", "ME_CONFIG_BASICAUTH_PASSWORD"),
            "PROD_WALLET_PASSWORD",
        ]
    )
}
GOOD = EXAMPLE | {
    "PROD_POOL_ADDRESS": "0x" + "a1" * 20,
    "PROD_CORE_HOST": "pool.operator.net",
    "CHAIN_LAST_BLOCK": "31000000",
}
NAMES = {
    "PROD_RESULT_HOST": "result.operator.net",
    "PROD_PLATFORM_REGISTRY_HOST": "config.operator.net",
    "PROD_SMS_HOST": "sms.operator.net",
    "PROD_GRAFANA_HOST": "grafana.operator.net",
    "PROD_CHAIN_ADAPTER_HOST": "adapter.operator.net",
    "LETSENCRYPT_ADMIN_EMAIL": "admin@operator.net",
    "IEXEC_CORE_URL": "https://pool.operator.net",
}


def found(changed: dict[str, str], scope: Scope = Scope(), secrets: dict[str, str] = SECRETS) -> list[str]:
    return problems(GOOD | changed, EXAMPLE, scope, secrets)


def test_a_complete_file_has_no_problem() -> None:
    assert found({}) == []
    assert found({"WORKER_ALLOW_CLEARTEXT": "true"}, Scope(pool=False, worker=True)) == []
    assert found(NAMES, Scope(worker=True, proxy=True, https=True)) == []


def test_the_example_alone_names_all_that_must_be_set() -> None:
    named = {line.partition(":")[0] for line in problems(EXAMPLE, EXAMPLE, Scope(worker=True))}
    assert named == {
        *("PROD_POOL_ADDRESS", "PROD_CORE_HOST", "CHAIN_LAST_BLOCK", "WORKER_ALLOW_CLEARTEXT"),
        *SECRETS,
    }


@pytest.mark.parametrize("password", ["whatever", "Admin", "mongoUiPassw0rd", "myWalletPassw0rd"])
@pytest.mark.parametrize("name", SECRETS)
def test_a_default_password_is_refused_wherever_it_is(name: str, password: str) -> None:
    for lines in (found({name: password}), found({}, secrets=SECRETS | {name: password})):
        assert any(line.startswith(f"{name}: a well-known default") for line in lines)


def test_defaults_of_the_services_are_well_known_here_too() -> None:
    from pool_env.check import WELL_KNOWN
    from workerpool_kit.settings import secrets

    assert (secrets._WELL_KNOWN - {""}) <= WELL_KNOWN


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"PROD_POOL_ADDRESS": ""}, "PROD_POOL_ADDRESS: not set"),
        ({"PROD_POOL_ADDRESS": "0x0"}, "PROD_POOL_ADDRESS: expected an address"),
        ({"PROD_POOL_ADDRESS": "0x" + "0" * 40}, "PROD_POOL_ADDRESS: the zero address"),
        ({"PROD_CORE_HOST": "http://pool"}, "PROD_CORE_HOST: expected a host name"),
        ({"PROD_CORE_HOST": "127.0.0.1"}, "PROD_CORE_HOST: workers and requesters cannot reach 127.0.0.1"),
        (
            {"PROD_RESULT_HOST": "pool.operator.net"},
            "PROD_RESULT_HOST: leave it empty for the name of PROD_CORE_HOST",
        ),
        ({"CHAIN_LAST_BLOCK": "latest"}, "CHAIN_LAST_BLOCK: expected a whole number"),
        ({"CHAIN_URL": "bellecour.iex.ec"}, "CHAIN_URL: expected a URL"),
        ({"CHAIN_IS_SIDECHAIN": "yes"}, "CHAIN_IS_SIDECHAIN: expected true or false"),
        ({"CHAIN_IS_SIDECHAIN": "false"}, "GAS_PRICE_CAP: 0 pays nothing"),
        ({"WORKERPOOL_PRICE_MIN": "1", "WORKERPOOL_PRICE": "2"}, "WORKERPOOL_PRICE: set either"),
        ({"PROD_CHAIN_ADAPTER_PASSWORD": "short"}, "PROD_CHAIN_ADAPTER_PASSWORD: it has fewer than 12"),
        (
            {"PROD_MONGO_PASSWORD": SECRETS["PROD_GRAFANA_ADMIN_PASSWORD"]},
            "PROD_GRAFANA_ADMIN_PASSWORD: it is that of PROD_MONGO_PASSWORD",
        ),
        ({"PROD_MONGO_PASSWORD": "p@ssphrase/with:signs"}, "PROD_MONGO_PASSWORD: use letters, digits"),
        (
            {"PROD_MONGO_PASSWORT": "x"},
            "PROD_MONGO_PASSWORT: no such variable; did you mean PROD_MONGO_PASSWORD?",
        ),
        ({"WORKERLOGIN": "x"}, "WORKERLOGIN: remove it: a worker logs in with its wallet"),
        ({"ETHNODE": "x"}, "ETHNODE: it is CHAIN_URL now"),
        (
            {"IEXEC_CORE_OPERATOR_PASSWORD": "a-passphrase-of-my-own"},
            "IEXEC_CORE_OPERATOR_PASSWORD: set either it or IEXEC_CORE_OPERATOR_PASSWORD_FILE",
        ),
    ],
)
def test_a_problem_of_the_pool_is_named(changed: dict[str, str], problem: str) -> None:
    assert [line for line in found(changed) if line.startswith(problem)]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, "WORKER_ALLOW_CLEARTEXT: the worker's tokens would travel without TLS"),
        ({"RESULTS_DIR": "./results"}, "RESULTS_DIR: expected an absolute path"),
        ({"WORKER_AVAILABLE_CPU": "all"}, "WORKER_AVAILABLE_CPU: expected a whole number"),
    ],
)
def test_a_problem_of_a_worker_is_named(changed: dict[str, str], problem: str) -> None:
    lines = found(changed, Scope(pool=False, worker=True))
    assert [line for line in lines if line.startswith(problem)]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"PROD_SMS_HOST": ""}, "PROD_SMS_HOST: not set; behind a reverse proxy"),
        ({"PROD_SMS_HOST": "pool.operator.net"}, "PROD_SMS_HOST: PROD_CORE_HOST has the same name"),
        ({"PROD_SMS_HOST": "10.0.0.3"}, "PROD_SMS_HOST: no public authority"),
        ({"PROD_SMS_HOST": "sms.pool.example"}, "PROD_SMS_HOST: no public authority"),
        ({"LETSENCRYPT_ADMIN_EMAIL": ""}, "LETSENCRYPT_ADMIN_EMAIL: not set"),
        ({"IEXEC_CORE_URL": ""}, "IEXEC_CORE_URL: set it to https://"),
    ],
)
def test_a_problem_behind_a_reverse_proxy_is_named(changed: dict[str, str], problem: str) -> None:
    lines = found(NAMES | changed, Scope(proxy=True, https=True))
    assert [line for line in lines if line.startswith(problem)]
