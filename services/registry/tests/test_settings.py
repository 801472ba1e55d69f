"""The chain configuration is checked before anything listens."""

import pytest
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_registry.settings import RegistrySettings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("IEXEC_CHAIN_ID", "0"),
        ("IEXEC_HUB_ADDRESS", "0x" + "00" * 20),
        ("IEXEC_HUB_ADDRESS", "0x1234"),
        ("IEXEC_BLOCK_TIME", "PT0.05S"),
        ("IEXEC_BLOCK_TIME", "PT21S"),
        ("IEXEC_BLOCK_TIME", "soon"),
        ("IEXEC_BLOCKCHAIN_NODE_ADDRESS", "localhost:8545"),
        ("IEXEC_BLOCKCHAIN_NODE_ADDRESS", "ftp://node:8545"),
    ],
)
def test_bad_value_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(RegistrySettings, {variable: value})
    assert str(refused.value).startswith(variable + ":")


def test_documented_defaults_are_those_of_bellecour() -> None:
    settings = load(RegistrySettings, {})
    assert (settings.chain_id, settings.http_port, settings.block_time_s) == (134, 8888, 5.0)
