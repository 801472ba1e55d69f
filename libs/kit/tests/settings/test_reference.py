"""The reference of settings: one row for each variable."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import SecretStr
from workerpool_kit.settings.base import Settings, env, secret
from workerpool_kit.settings.reference import settings_rows, settings_table
from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port


class DemoSettings(Settings):
    ignored_variables: ClassVar[Mapping[str, str]] = {"DEMO_POLL": "work is pushed; nothing replaces it"}

    port: Port | None = env("DEMO_PORT", None, doc="Port", aliases=("PORT",))
    hub: EthAddress = env("DEMO_HUB", doc="Hub")
    period: DurationSeconds = env("DEMO_PERIOD", "PT5S", doc="Either | or")
    stake: bool = env("DEMO_STAKE", True, doc="Stake")
    workers: frozenset[EthAddress] = env("DEMO_WORKERS", frozenset(), doc="Workers")
    actuators: tuple[str, ...] = env("DEMO_ACTUATORS", ("health", "info"), doc="Endpoints")
    folder: Path = env("DEMO_FOLDER", Path("/tmp"), doc="Folder")
    mode: Literal["a", "b"] = env("DEMO_MODE", "a", doc="Mode")
    password: SecretStr = secret("DEMO_PASSWORD", "documented", doc="Password")


ROWS = {row[0]: row[1:] for row in settings_rows(DemoSettings)}


@pytest.mark.parametrize(
    ("variable", "row"),
    [
        ("DEMO_PORT", ("Port (older name: PORT)", "port", "(none)")),
        ("DEMO_HUB", ("Hub", "address", "(required)")),
        ("DEMO_PERIOD", ("Either | or", "duration", "PT5S")),
        ("DEMO_STAKE", ("Stake", "true or false", "true")),
        ("DEMO_WORKERS", ("Workers", "comma-separated list of address", "(none)")),
        ("DEMO_ACTUATORS", ("Endpoints", "comma-separated list of text", "health,info")),
        ("DEMO_FOLDER", ("Folder", "path", "/tmp")),
        ("DEMO_MODE", ("Mode", "a, b", "a")),
        ("DEMO_PASSWORD", ("Password; or DEMO_PASSWORD_FILE, a file that holds it", "secret", "(set)")),
    ],
)
def test_row_has_meaning_type_and_default(variable: str, row: tuple[str, str, str]) -> None:
    assert ROWS[variable] == row


def test_rows_are_sorted_by_variable() -> None:
    assert list(ROWS) == sorted(ROWS)


def test_table_escapes_bars_hides_secrets_and_names_ignored_variables() -> None:
    table = settings_table(DemoSettings)
    assert "| `DEMO_PERIOD` | Either \\| or | duration | `PT5S` |" in table
    assert "documented" not in table
    assert "| `DEMO_POLL` | No effect: work is pushed; nothing replaces it | | |" in table
