"""Documented variables that change nothing in this design are accepted, and said to change nothing."""

from workerpool_core.settings import CoreSettings
from workerpool_kit.settings.environment import load
from workerpool_kit.settings.reference import settings_rows

OLD = {"IEXEC_ASK_REPLICATE_PERIOD": "15000", "IEXEC_GAS_PRICE_MULTIPLIER": "1.3"}


def test_the_variables_of_an_old_environment_that_change_nothing_are_named_with_the_reason() -> None:
    settings = load(CoreSettings, {**OLD, "IEXEC_GAS_PRICE_CAP": "1", "REVEAL_TIMEOUT_PERIOD": "1000"})
    found = settings.without_effect()
    assert found.keys() == OLD.keys()
    assert "pushed" in found["IEXEC_ASK_REPLICATE_PERIOD"]
    assert "chain adapter" in found["IEXEC_GAS_PRICE_MULTIPLIER"]


def test_nothing_is_said_of_variables_that_are_not_set() -> None:
    assert load(CoreSettings, {}).without_effect() == {}


def test_the_table_says_so_too() -> None:
    meanings = {variable: meaning for variable, meaning, _, _ in settings_rows(CoreSettings)}
    silent = {name for name, meaning in meanings.items() if "without effect" in meaning}
    assert silent == OLD.keys()


def test_memory_of_a_slot_is_a_setting() -> None:
    assert load(CoreSettings, {}).slot_memory_mib == 0
    assert load(CoreSettings, {"WORKERPOOL_CORE_SLOT_MEMORY_MIB": "512"}).slot_memory_mib == 512


def test_a_gas_price_multiplier_of_zero_is_accepted() -> None:
    """Zero with cap 0 is the published choice for Bellecour."""
    assert load(CoreSettings, {"IEXEC_GAS_PRICE_MULTIPLIER": "0"}).gas_price_multiplier == 0
