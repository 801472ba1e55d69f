"""The command reset-cursor, without a process."""

import pytest
from workerpool_core import commands
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import Cursor
from workerpool_core.settings import CoreSettings, database_client_name
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database

from services.core.tests.doubles.settings import load


@pytest.fixture
def settings(mongod: Mongod, database_name: str) -> CoreSettings:
    return load({"MONGO_URI": mongod.uri, "MONGO_DATABASE": database_name})


async def stored_cursor(settings: CoreSettings) -> Cursor | None:
    database = await Database.connect(settings, models=MODELS)
    try:
        await Store(database).recover()
        return await Store(database).cursor()
    finally:
        await database.close()


async def test_the_next_start_follows_from_the_given_block(settings: CoreSettings) -> None:
    assert "not set" in await commands._reset(settings, 7)
    assert await stored_cursor(settings) == Cursor(6, "")
    assert "at block 6" in await commands._reset(settings, 0)
    assert await stored_cursor(settings) == Cursor(-1, "")


async def test_a_connected_core_is_detected(settings: CoreSettings) -> None:
    core = await Database.connect(settings, app_name=database_client_name(settings), alias="core")
    try:
        with pytest.raises(commands.CoreRunning, match="stop it first"):
            await commands._reset(settings, 7)
    finally:
        await core.close()
    assert await stored_cursor(settings) is None


def test_invalid_settings_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IEXEC_CORE_PORT", "many")
    assert commands.reset_cursor(["--to", "3"]) == 2
    assert "IEXEC_CORE_PORT" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--to", "-1"], ["--to", "many"], ["--to", str(2**63)]])
def test_a_block_number_is_required(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.reset_cursor(arguments)
    assert ended.value.code == 2
