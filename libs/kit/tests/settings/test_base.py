"""Declarations of settings."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from workerpool_kit.settings.base import (
    MongoSettings,
    Settings,
    aliases_of,
    env,
    is_secret,
    secret,
    variable_of,
)


class DemoSettings(Settings):
    port: int = env("DEMO_PORT", 5, doc="Port", aliases=("PORT",))
    password: SecretStr = secret("DEMO_PASSWORD", "documented", doc="Password")
    undeclared: int = 5


def field(name: str) -> Any:
    return DemoSettings.model_fields[name]


def test_declaration_keeps_variable_aliases_and_secrecy() -> None:
    assert (variable_of(field("port")), aliases_of(field("port"))) == ("DEMO_PORT", ("PORT",))
    assert (is_secret(field("port")), is_secret(field("password"))) == (False, True)


def test_field_without_a_declaration_is_a_defect() -> None:
    with pytest.raises(TypeError, match="declared with env"):
        variable_of(field("undeclared"))


def test_settings_are_frozen_and_refuse_unknown_fields() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DemoSettings().port = 1
    with pytest.raises(ValidationError, match="Extra inputs"):
        DemoSettings.model_validate({"prot": 1})


def test_secret_default_is_hidden() -> None:
    assert "documented" not in repr(DemoSettings())


def test_database_is_named_in_one_way_only() -> None:
    with pytest.raises(
        ValidationError, match="MONGO_URI: set either MONGO_URI, or MONGO_HOST and MONGO_PORT"
    ):
        MongoSettings(mongo_uri=SecretStr("mongodb://h"), mongo_port=1, mongo_database="d")
