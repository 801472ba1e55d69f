"""The process opens its wallet and its database together; a wrong wallet ends both."""

import asyncio
from pathlib import Path

import pytest
from workerpool_core.composition import serve
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import Lifetime, StartupError

from services.core.tests.doubles.settings import load


async def test_a_wrong_wallet_ends_the_start_while_the_database_is_still_connecting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cancelled = asyncio.Event()

    async def never(*_: object, **__: object) -> Database:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError("unreachable")

    monkeypatch.setattr(Database, "connect", never)
    settings = load({"IEXEC_CORE_WALLET_PATH": str(tmp_path / "missing.json")})
    with pytest.raises(StartupError, match="IEXEC_CORE_WALLET_PATH"):
        await serve.serve(settings, Lifetime())
    assert cancelled.is_set()
