"""A connected database with the model of the notes."""

from collections.abc import AsyncIterator

import pytest
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database

from .notes import Note, settings_for


@pytest.fixture
async def database(mongod: Mongod, database_name: str) -> AsyncIterator[Database]:
    database = await Database.connect(settings_for(mongod.uri, database_name), models=[Note])
    yield database
    await database.close()
