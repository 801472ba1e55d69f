"""Documented variables that have no effect on core are accepted, and named at the start with their successor."""

import pytest
from workerpool_core.settings import CoreSettings
from workerpool_kit.settings.environment import ignored

from services.core.tests.doubles.settings import load

SEED = {
    "IEXEC_ASK_REPLICATE_PERIOD": "30000",
    "IEXEC_CHAIN_ID": "42",
    "IEXEC_HUB_ADDRESS": "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f",
    "IEXEC_IPFS_HOST": "ipfs",
    "IEXEC_IPFS_PORT": "5001",
    "IEXEC_PUBLIC_CHAIN_ADDRESS": "http://node:8545",
    "IEXEC_SMS_HOST": "sms",
}
"""Variables of the published compose file of core 3.0.0 that core no longer uses."""


@pytest.mark.parametrize("value", ["0", "1.3", ""])
def test_a_gas_price_multiplier_is_accepted(value: str) -> None:
    """Zero with cap 0 is the published choice for Bellecour."""
    load({"IEXEC_GAS_PRICE_MULTIPLIER": value})


def test_each_variable_of_an_older_environment_without_effect_is_named() -> None:
    named = ignored(CoreSettings, {**SEED, "IEXEC_GAS_PRICE_CAP": "1", "REVEAL_TIMEOUT_PERIOD": "1000"})
    assert named.keys() == SEED.keys()
    assert "IEXEC_PLATFORM_REGISTRY" in named["IEXEC_SMS_HOST"]
    assert "registry" in named["IEXEC_CHAIN_ID"]
    assert "IEXEC_IPFS_URL" in named["IEXEC_IPFS_HOST"]


def test_unset_variables_are_not_named() -> None:
    assert ignored(CoreSettings, {}) == {}


def test_memory_of_a_slot_is_a_setting() -> None:
    assert load({}).slot_memory_mib == 0
    assert load({"WORKERPOOL_CORE_SLOT_MEMORY_MIB": "512"}).slot_memory_mib == 512
