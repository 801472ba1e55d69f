"""Settings come from documented variables, completely checked, with every problem named by its variable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import Field, SecretStr, ValidationError
from workerpool_kit.settings.base import MongoSettings, Settings, env, secret
from workerpool_kit.settings.environment import SettingsError, ignored, load
from workerpool_kit.settings.reference import settings_table
from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port, Url

HUB = "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f"


class PoolSettings(MongoSettings, Settings):
    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_POOL_",)
    ignored_variables: ClassVar[Mapping[str, str]] = {
        "IEXEC_POOL_POLL": "work is pushed; nothing replaces it",
        "IEXEC_CHAIN_ID": "the registry tells the chain; set it there",
    }

    port: Port = env("IEXEC_POOL_PORT", 13000, doc="Port of the HTTP side")
    hub: EthAddress = env("IEXEC_HUB_ADDRESS", doc="Address of the hub", aliases=("HUB",))
    node: Url = env("IEXEC_POOL_NODE", "http://localhost:8545", doc="Node")
    whitelist: frozenset[EthAddress] = env("IEXEC_POOL_WHITELIST", frozenset(), doc="Workers")
    period: DurationSeconds = env("IEXEC_POOL_PERIOD", "PT5S", doc="Period")
    slots: Annotated[int, Field(gt=0)] | None = env("IEXEC_POOL_SLOTS", None, doc="Slots")
    password: SecretStr = secret("IEXEC_POOL_PASSWORD", "whatever", doc="Password")
    mongo_database: str = env("MONGO_DATABASE", "pool", doc="Database")


def problems_of(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(PoolSettings, {"IEXEC_HUB_ADDRESS": HUB, **environ})
    return refused.value.problems


def test_values_have_their_types_and_defaults() -> None:
    settings = load(
        PoolSettings,
        {
            "IEXEC_HUB_ADDRESS": HUB.lower(),
            "IEXEC_POOL_WHITELIST": f" {HUB}, {HUB.lower()}",
            "IEXEC_POOL_PORT": "0",
        },
    )
    assert (settings.port, settings.hub, settings.whitelist) == (0, HUB, frozenset({HUB}))
    assert (settings.period, settings.mongo_host, settings.log_level) == (5.0, "localhost", "INFO")
    assert settings.password.get_secret_value() == "whatever"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(PoolSettings, {"HUB": HUB}).port = 1


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(PoolSettings, {"IEXEC_HUB_ADDRESS": HUB, "IEXEC_POOL_PORT": ""}).port == 13000


def test_every_problem_is_reported_and_starts_with_the_variables_name() -> None:
    with pytest.raises(SettingsError) as refused:
        load(
            PoolSettings,
            {"IEXEC_POOL_PORT": "99999", "IEXEC_POOL_PERIOD": "soon", "IEXEC_POOL_NODE": "ftp://x"},
        )
    names = [problem.partition(":")[0] for problem in refused.value.problems]
    assert names == ["IEXEC_HUB_ADDRESS", "IEXEC_POOL_NODE", "IEXEC_POOL_PERIOD", "IEXEC_POOL_PORT"]


def test_misspelt_variable_is_refused_with_a_suggestion() -> None:
    assert problems_of(IEXEC_POOL_PROT="1") == (
        "IEXEC_POOL_PROT: no such setting; did you mean IEXEC_POOL_PORT?",
    )


@pytest.mark.parametrize("wrong", ["0x12", HUB[:-1] + "e", "hub.eth"])
def test_a_wrong_address_is_refused(wrong: str) -> None:
    (problem,) = problems_of(IEXEC_HUB_ADDRESS=wrong)
    assert problem.startswith("IEXEC_HUB_ADDRESS: ")


def test_older_name_is_read_unless_it_contradicts() -> None:
    other = "0x" + "1" * 40
    assert load(PoolSettings, {"HUB": HUB}).hub == HUB
    assert problems_of(HUB=other) == ("IEXEC_HUB_ADDRESS: set only one of IEXEC_HUB_ADDRESS and HUB",)


class TestSecrets:
    def test_are_read_from_a_file_without_its_newline(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text("s3cret \n")
        settings = load(PoolSettings, {"HUB": HUB, "IEXEC_POOL_PASSWORD_FILE": str(file)})
        assert settings.password.get_secret_value() == "s3cret "

    def test_are_refused_when_given_twice(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text("a")
        (problem,) = problems_of(IEXEC_POOL_PASSWORD="a", IEXEC_POOL_PASSWORD_FILE=str(file))
        assert problem.startswith("IEXEC_POOL_PASSWORD: set only one of")

    def test_an_unreadable_file_is_named(self) -> None:
        (problem,) = problems_of(IEXEC_POOL_PASSWORD_FILE="/nowhere/at/all")
        assert problem.startswith("IEXEC_POOL_PASSWORD_FILE: cannot read /nowhere/at/all")

    def test_never_show(self) -> None:
        settings = load(
            PoolSettings, {"HUB": HUB, "IEXEC_POOL_PASSWORD": "s3cret", "MONGO_URI": "mongodb://u:s3cret@h"}
        )
        assert "s3cret" not in repr(settings)
        (problem,) = problems_of(IEXEC_POOL_NODE="http//user:s3cret@node")
        assert "s3cret" not in problem
        assert "whatever" not in settings_table(PoolSettings)


def test_the_database_is_given_in_one_way_only() -> None:
    (problem,) = problems_of(MONGO_URI="mongodb://h", MONGO_PORT="1")
    assert problem == "MONGO_URI: set either MONGO_URI, or MONGO_HOST and MONGO_PORT, not both"


def test_the_table_documents_every_variable() -> None:
    table = settings_table(PoolSettings)
    assert "| `IEXEC_POOL_PERIOD` | Period | duration | `PT5S` |" in table
    assert "| `IEXEC_HUB_ADDRESS` | Address of the hub (older name: HUB) | address | (required) |" in table
    assert "| `IEXEC_POOL_SLOTS` | Slots | integer | (none) |" in table
    assert "| `IEXEC_POOL_WHITELIST` | Workers | comma-separated list of address | (none) |" in table


def test_variable_without_effect_is_accepted_and_named_with_its_successor() -> None:
    environ = {"HUB": HUB, "IEXEC_POOL_POLL": "5", "IEXEC_CHAIN_ID": "", "OTHER": "x"}
    load(PoolSettings, environ)
    assert ignored(PoolSettings, environ) == {"IEXEC_POOL_POLL": "work is pushed; nothing replaces it"}
    assert (
        "| `IEXEC_CHAIN_ID` | No effect: the registry tells the chain; set it there | | |"
        in settings_table(PoolSettings)
    )
