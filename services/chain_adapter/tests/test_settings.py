"""The settings, as the documented variables give them."""

import pytest
from workerpool_chain_adapter.settings import ChainAdapterSettings
from workerpool_kit.settings.environment import SettingsError, load

PREFIX = "IEXEC_BLOCKCHAIN_ADAPTER_API_"
REQUIRED = {PREFIX + "WALLET_PATH": "/wallet.json", PREFIX + "WALLET_PASSWORD": "secret"}


def test_the_defaults_are_those_of_bellecour() -> None:
    settings = load(ChainAdapterSettings, REQUIRED)
    assert (settings.chain_id, settings.sidechain, settings.block_time_s) == (134, True, 5.0)
    assert (settings.gas_price_multiplier, settings.gas_price_cap) == (1.0, 22_000_000_000)


@pytest.mark.parametrize("variable", ["IEXEC_GAS_PRICE_MULTIPLIER", PREFIX + "GAS_PRICE_MULTIPLIER"])
def test_free_gas_is_accepted(variable: str) -> None:
    """The published choice for Bellecour: multiplier 0, cap 0."""
    settings = load(ChainAdapterSettings, {**REQUIRED, variable: "0", "IEXEC_GAS_PRICE_CAP": "0"})
    assert (settings.gas_price_multiplier, settings.gas_price_cap) == (0.0, 0)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("IEXEC_GAS_PRICE_MULTIPLIER", "-1"),
        ("IEXEC_GAS_PRICE_CAP", "-1"),
        ("IEXEC_HUB_ADDRESS", "0x" + "00" * 20),
        (PREFIX + "MAX_ALLOWED_TX_PER_BLOCK", "0"),
        ("IEXEC_BLOCK_TIME", "PT60S"),
        (PREFIX + "WALET_PATH", "/x"),
    ],
)
def test_an_unusable_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(ChainAdapterSettings, {**REQUIRED, variable: value})
    assert refused.value.problems[0].startswith(variable)


@pytest.mark.parametrize(
    ("variable", "successor"),
    [
        ("IEXEC_PUBLIC_CHAIN_ADDRESS", "IEXEC_BLOCKCHAIN_NODE_ADDRESS"),
        ("IEXEC_PRIVATE_CHAIN_ADDRESS", "IEXEC_BLOCKCHAIN_NODE_ADDRESS"),
        ("IEXEC_START_BLOCK_NUMBER", "core"),
        ("POOL_ADDRESS", "core"),
    ],
)
def test_a_documented_variable_without_effect_is_accepted_and_has_a_successor(
    variable: str, successor: str
) -> None:
    load(ChainAdapterSettings, {**REQUIRED, variable: "x"})
    assert successor in ChainAdapterSettings.ignored_variables[variable]


def test_both_ports_listen_on_loopback_unless_told_otherwise() -> None:
    settings = load(ChainAdapterSettings, REQUIRED)
    assert (settings.http_bind, settings.grpc_bind) == ("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize("variable", ["WORKERPOOL_HTTP_BIND_ADDRESS", "WORKERPOOL_GRPC_BIND_ADDRESS"])
@pytest.mark.parametrize("password", [{}, {PREFIX + "PASSWORD": "Password"}])
def test_a_well_known_password_is_refused_beyond_loopback(variable: str, password: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(ChainAdapterSettings, {**REQUIRED, variable: "0.0.0.0", **password})
    (problem,) = refused.value.problems
    assert problem.startswith(PREFIX + "PASSWORD: a well-known default password")
    assert f"{variable} is 0.0.0.0" in problem


def test_a_password_of_its_own_opens_every_interface() -> None:
    load(
        ChainAdapterSettings,
        {**REQUIRED, "WORKERPOOL_GRPC_BIND_ADDRESS": "::", PREFIX + "PASSWORD": "zN3-qq8"},
    )
